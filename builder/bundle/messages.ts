import { isBuiltin } from 'node:module';
import { dirname, posix, resolve } from 'node:path';
import type { Message } from 'esbuild';
import { problem } from '../problem.ts';
import type { BuildProblem, ProblemPlace } from '../problem.ts';
import { unresolvedHint } from './unresolved.ts';
import type { ImportContext } from './unresolved.ts';

/** Turns esbuild's errors into problems with codes and hints. */
export async function errorsToProblems(messages: readonly Message[], context: ImportContext): Promise<BuildProblem[]> {
  return Promise.all(messages.map((message) => errorToProblem(message, context)));
}

/** The same for its warnings, which carry no code. */
export function warningsToProblems(messages: readonly Message[]): BuildProblem[] {
  return messages.map((message) =>
    problem(null, sentence(message.text), { ...placeOf(message), hint: noteOf(message) }),
  );
}

async function errorToProblem(message: Message, context: ImportContext): Promise<BuildProblem> {
  const place = placeOf(message);
  const detail = message.detail as { outside?: string } | undefined;
  if (typeof detail?.outside === 'string')
    return leaves(importText(message) ?? detail.outside, { place, real: detail.outside, context });
  const unresolved = /^Could not resolve "(.*)"$/s.exec(message.text)?.[1];
  if (unresolved !== undefined) {
    if (isAbove(unresolved, place)) return leaves(unresolved, { place, real: null, context });
    const found = await unresolvedHint(unresolved, { ...context, importer: place.file ?? '' });
    const why = found.why === null ? '' : `: ${found.why}`;
    return problem('FN_UNRESOLVED_IMPORT', `"${unresolved}" does not resolve${why}`, {
      ...place,
      hint: found.hint ?? noteOf(message),
    });
  }
  if (message.text.startsWith('No matching export in ')) {
    return problem('FN_UNRESOLVED_IMPORT', sentence(message.text), { ...place, hint: noteOf(message) });
  }
  const extension = /^No loader is configured for "(.*)" files/.exec(message.text)?.[1];
  if (extension !== undefined) {
    const hint =
      extension === '.node'
        ? 'a native addon cannot be bundled: put its package into fnrun.json#bundle.external'
        : `import it with { type: 'text' } or { type: 'bytes' }`;
    return problem('FN_UNRESOLVED_IMPORT', `Files of type ${extension} cannot be imported as they are`, {
      ...place,
      hint,
    });
  }
  return problem('FN_SYNTAX', sentence(message.text), { ...place, hint: noteOf(message) });
}

function leaves(
  imported: string,
  { place, real, context }: { place: ProblemPlace; real: string | null; context: ImportContext },
): BuildProblem {
  // Seen from a view of the app, a relative path leads elsewhere than it does for the user.
  const target = isAbove(imported, place) ? resolve(context.root, dirname(place.file ?? ''), imported) : real;
  const hint = 'copy the file into the app, or make it an npm package and depend on it';
  return problem('FN_IMPORT_OUTSIDE', `"${imported}" leaves the app: it is ${target}`, { ...place, hint });
}

function isAbove(imported: string, { file }: ProblemPlace): boolean {
  return imported.startsWith('.') && posix.join(dirname(file ?? ''), imported).startsWith('../');
}

/** The place of a message: lines and columns from 1, columns in UTF-16 units (esbuild counts bytes from 0). */
export function placeOf({ location }: Pick<Message, 'location'>): ProblemPlace {
  if (location === null) return {};
  const bytes = Buffer.from(location.lineText);
  const column = bytes.subarray(0, location.column).toString().length + 1;
  const length = bytes.subarray(location.column, location.column + location.length).toString().length;
  return {
    file: location.file.replace(/ with \{[^{}]*\}$/, ''),
    line: location.line,
    column,
    lineText: location.lineText,
    length: Math.max(1, length),
  };
}

/** `node:` imports that Node does not have; esbuild takes every one of them as external. */
export function isUnknownBuiltin(path: string): boolean {
  return path.startsWith('node:') && !isBuiltin(path);
}

function importText({ location }: Message): string | null {
  if (location === null) return null;
  const text = Buffer.from(location.lineText)
    .subarray(location.column, location.column + location.length)
    .toString();
  return /^(["'`]).*\1$/s.test(text) ? text.slice(1, -1) : null;
}

function noteOf({ notes, location }: Message): string | null {
  const suggestion = location?.suggestion;
  if (suggestion !== undefined && suggestion !== '') return `write ${suggestion}`;
  const note = notes[0];
  if (note === undefined) return null;
  const at = note.location === null ? '' : ` (${note.location.file}:${note.location.line}:${note.location.column + 1})`;
  return `${sentence(note.text).replace(/:$/, '')}${at}`;
}

function sentence(text: string): string {
  return text.replace(/\.$/, '');
}
