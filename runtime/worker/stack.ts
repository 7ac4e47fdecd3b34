import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TraceMap } from '@jridgewell/trace-mapping';

type Mapping = typeof import('@jridgewell/trace-mapping');

/** A place in the user's sources, or in the bundle when there is no map. */
export interface SourcePlace {
  /** From the app's root, `/`-separated. */
  file: string;
  line: number;
  column: number;
}

const frame = /^(\s+at (?:.*\()?)(file:\/\/[^\s()]+|\/[^\s():]+):(\d+):(\d+)(\)?(?: \{)?)$/;
const maps = new Map<string, TraceMap | null>();
let mapping: Mapping | null = null;

/** Rewrites a stack in terms of the user's sources and leaves the frames of the platform out. */
export function mapStack(stack: string, releaseDir: string): { stack: string; place: SourcePlace | null } {
  let place: SourcePlace | null = null;
  const lines: string[] = [];
  for (const line of stack.split('\n')) {
    const match = frame.exec(line);
    if (match === null) {
      if (!line.includes('node:internal')) lines.push(line);
      continue;
    }
    const path = pathOf(match[2]!);
    if (path === null) lines.push(line);
    if (path === null || !path.startsWith(releaseDir + sep)) continue;
    const found = originalPlace(path, { line: Number(match[3]), column: Number(match[4]), releaseDir });
    place ??= found.file.includes('node_modules/') ? null : found;
    lines.push(`${match[1]}${found.file}:${found.line}:${found.column}${match[5]}`);
  }
  return { stack: lines.join('\n'), place };
}

/** Null: a message may hold what only looks like a frame. */
function pathOf(place: string): string | null {
  if (!place.startsWith('file:')) return place;
  try {
    return fileURLToPath(place);
  } catch {
    return null;
  }
}

function originalPlace(path: string, at: { line: number; column: number; releaseDir: string }): SourcePlace {
  const bundle = relative(at.releaseDir, path).split(sep).join('/');
  const map = mapOf(path);
  const found = map === null ? null : mapping!.originalPositionFor(map, { line: at.line, column: at.column - 1 });
  if (found === null || found.source === null) return { file: bundle, line: at.line, column: at.column };
  return { file: sourceName(found.source, bundle), line: found.line, column: found.column + 1 };
}

// Sources are named from the app's root; a bundler that names them from the map's folder is undone here.
function sourceName(source: string, bundle: string): string {
  if (!source.startsWith('../')) return source;
  return join(dirname(bundle), source)
    .split(sep)
    .filter((part) => part !== '..')
    .join('/');
}

function mapOf(path: string): TraceMap | null {
  const known = maps.get(path);
  if (known !== undefined) return known;
  let map: TraceMap | null = null;
  try {
    // Loaded on the first error only: a thread must start in two milliseconds.
    mapping ??= createRequire(import.meta.url)('@jridgewell/trace-mapping') as Mapping;
    map = new mapping.TraceMap(readFileSync(`${path}.map`, 'utf8'));
  } catch {
    map = null;
  }
  maps.set(path, map);
  return map;
}

/** What is told of something that was thrown. */
interface Described {
  message: string;
  stack: string | null;
  place: SourcePlace | null;
}

/** Message and stack of whatever was thrown, causes included. Does not throw, whatever that is. */
export function describeError(thrown: unknown, releaseDir: string): Described {
  try {
    return describe(thrown, releaseDir);
  } catch {
    return { message: 'What was thrown cannot be shown', stack: null, place: null };
  }
}

function describe(thrown: unknown, releaseDir: string): Described {
  if (!(thrown instanceof Error)) {
    return { message: `Thrown value is no Error: ${show(thrown)}`, stack: null, place: null };
  }
  const mapped = mapStack(String(thrown.stack ?? ''), releaseDir);
  let stack = mapped.stack;
  let cause = thrown.cause;
  for (let depth = 0; depth < 5 && cause instanceof Error; depth++, cause = cause.cause) {
    stack += `\ncaused by: ${mapStack(String(cause.stack ?? cause.message), releaseDir).stack}`;
  }
  return { message: `${String(thrown.name)}: ${String(thrown.message)}`, stack, place: mapped.place };
}

function show(value: unknown): string {
  try {
    return typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value));
  } catch {
    return Object.prototype.toString.call(value);
  }
}
