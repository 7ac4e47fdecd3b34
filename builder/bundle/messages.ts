import { readlink } from 'node:fs/promises';
import { dirname, join, posix, resolve } from 'node:path';
import type { Message } from 'esbuild';
import { problem } from '../problem.ts';
import type { BuildProblem, ProblemPlace } from '../problem.ts';
import { unresolvedHint } from './unresolved.ts';
import type { ImportContext } from './unresolved.ts';

/** Turns esbuild's errors into problems with codes and hints. */
export async function errorsToProblems(messages: readonly Message[], context: ImportContext): Promise<BuildProblem[]> {
  // A file outside the app (a tsconfig.json beside what is imported from there) is not shown, whatever is wrong in it.
  const inside = messages.filter(({ location }) => location === null || !isOutside(location.file, context.escapes));
  if (inside.length > 0) return Promise.all(inside.map((message) => errorToProblem(message, context)));
  const files = new Set(messages.map(({ location }) => location!.file));
  return [...files].map((file) =>
    problem('FN_IMPORT_OUTSIDE', `An import leads to ${file}, outside the app`, { hint: copyHint }),
  );
}

/** The same for its warnings, which carry no code. */
export function warningsToProblems(messages: readonly Message[], { escapes }: ImportContext): BuildProblem[] {
  const inside = messages.filter(({ location }) => location === null || !isOutside(location.file, escapes));
  return inside.map((message) => problem(null, sentence(message.text), { ...placeOf(message), hint: noteOf(message) }));
}

const copyHint = 'copy the file into the app, or make it an npm package and depend on it';

function isOutside(file: string, escapes: readonly string[]): boolean {
  return (
    file.startsWith('../') ||
    file.startsWith('/') ||
    escapes.some((path) => file === path || file.startsWith(`${path}/`))
  );
}

async function errorToProblem(message: Message, context: ImportContext): Promise<BuildProblem> {
  const place = placeOf(message);
  const detail = message.detail as { outside?: string } | undefined;
  if (typeof detail?.outside === 'string') {
    const imported = importText(message) ?? detail.outside;
    // A package of a folder above is none of the app's: it has to be installed.
    const isPackage = detail.outside.includes('/node_modules/') && !/^[./]/.test(imported);
    if (isPackage) return unresolvedProblem(imported, { place, context, note: null });
    return leaves(imported, { place, real: detail.outside, context });
  }
  // The second is what it says of a name whose case is wrong.
  const missing = /^(?:Could not read from|Cannot read) file: /.test(message.text)
    ? (importText(message) ?? undefined)
    : undefined;
  const unresolved = /^Could not resolve "(.*)"$/s.exec(message.text)?.[1] ?? missing;
  if (unresolved !== undefined) {
    if (isAbove(unresolved, place)) return leaves(unresolved, { place, real: null, context });
    // In a jail there is nothing outside the app; and whether a file is there is no news for whoever pushes.
    if (unresolved.startsWith('/') && !unresolved.startsWith(`${context.root}/`))
      return leaves(unresolved, {
        place,
        real: unresolved,
        context,
        hint: `import files of the app by a relative path; ${copyHint}`,
      });
    // A link that leads out of the app leads to nothing in a jail.
    const wanted = posix.join(dirname(place.file ?? ''), unresolved);
    if (unresolved.startsWith('.') && isOutside(wanted, context.escapes)) {
      const real = await readlink(join(context.root, wanted)).catch(() => wanted);
      return leaves(unresolved, { place, real, context });
    }
    return unresolvedProblem(unresolved, { place, context, note: noteOf(message) });
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
  if (message.text.startsWith('Invalid define ')) {
    const hint = 'values of bundle.define are JavaScript literals: "\\"text\\"", "42", "true"';
    return problem('FN_BAD_SETTINGS', `bundle.define: ${sentence(message.text)}`, { file: 'fnrun.json', hint });
  }
  return problem('FN_SYNTAX', sentence(message.text), { ...place, hint: noteOf(message) });
}

/** A problem for an import that does not resolve, with the likely fix. */
export async function unresolvedProblem(
  specifier: string,
  { place, context, note }: { place: ProblemPlace; context: ImportContext; note: string | null },
): Promise<BuildProblem> {
  const { why, hint } = await unresolvedHint(specifier, { ...context, importer: place.file ?? '' });
  const message = `"${specifier}" does not resolve${why === null ? '' : `: ${why}`}`;
  return problem('FN_UNRESOLVED_IMPORT', message, { ...place, hint: hint ?? note });
}

function leaves(
  imported: string,
  {
    place,
    real,
    context,
    hint = copyHint,
  }: { place: ProblemPlace; real: string | null; context: ImportContext; hint?: string },
): BuildProblem {
  // Seen from a view of the app, a relative path leads elsewhere than it does for the user.
  const target = isAbove(imported, place) ? resolve(context.root, dirname(place.file ?? ''), imported) : real;
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
