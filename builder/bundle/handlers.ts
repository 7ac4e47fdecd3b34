import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { nearest } from '../nearest.ts';
import { problem } from '../problem.ts';
import type { BuildProblem, ProblemPlace } from '../problem.ts';
import type { BundledFunction } from './bundler.ts';

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'];
const served = ['default', 'handler', 'websocket', ...methods];

/**
 * Functions whose exports, as far as they can be known without running them, hold no handler.
 * `handlerOf`: the setting `handler` of fnrun.json. The boot check looks again, at the real values.
 */
export async function missingHandlers(
  functions: readonly BundledFunction[],
  { root, handlerOf }: { root: string; handlerOf: (name: string) => string | undefined },
): Promise<BuildProblem[]> {
  const problems: BuildProblem[] = [];
  for (const { found, exports, openExports } of functions) {
    if (openExports) continue;
    const wanted = handlerOf(found.name);
    const has = exports.length === 0 ? 'it exports nothing' : `it exports ${exports.slice(0, 8).join(', ')}`;
    if (wanted !== undefined) {
      if (exports.includes(wanted)) continue;
      const near = nearest(wanted, exports);
      const hint = near === null ? `export it, or correct the setting in fnrun.json` : `did you mean "${near}"?`;
      const message = `fnrun.json names "${wanted}" as the handler, which the module does not export: ${has}`;
      problems.push(problem('FN_NO_HANDLER', message, { ...(await placeOf(root, found.source)), hint }));
      continue;
    }
    // The module's own config may name the handler; the boot check knows.
    const mayBeNamed = exports.includes('config') && exports.length > 1;
    if (mayBeNamed || exports.some((name) => served.includes(name))) continue;
    const near = exports
      .map((name) => nearest(name, ['handler', 'websocket', ...methods]))
      .find((name) => name !== null);
    const hint =
      near === undefined
        ? 'export a default function (request) => Response, { fetch }, GET/POST/…, websocket, or a Lambda handler'
        : `did you mean to export ${near}? Names count exactly`;
    problems.push(
      problem('FN_NO_HANDLER', `the module exports no handler: ${has}`, {
        ...(await placeOf(root, found.source)),
        hint,
      }),
    );
  }
  return problems;
}

/** The first line that exports something, else the first line. */
async function placeOf(root: string, file: string): Promise<ProblemPlace> {
  const lines = (await readFile(join(root, file), 'utf8')).split(/\r?\n/);
  const index = lines.findIndex((line) => /^\s*export\b/.test(line));
  const lineText = lines[Math.max(0, index)]!;
  return {
    file,
    line: Math.max(0, index) + 1,
    column: lineText.length - lineText.trimStart().length + 1,
    lineText,
    length: index < 0 ? 1 : 6,
  };
}
