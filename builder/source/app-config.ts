import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checkAppConfig } from '../../runtime/contract/app-config.ts';
import type { AppConfig } from '../../runtime/contract/app-config.ts';
import { checkSettings } from '../../runtime/contract/settings.ts';
import { nearest } from '../nearest.ts';
import { problem } from '../problem.ts';
import type { BuildProblem } from '../problem.ts';
import { isJsonError, parseJsonFile } from './json-file.ts';
import type { JsonFile } from './json-file.ts';

const file = 'fnrun.json';

/** fnrun.json as read; an empty config when there is none, or when `problems` says why it cannot be used. */
export interface ConfigReading {
  config: AppConfig;
  problems: BuildProblem[];
  /** Where the value at a path stands; nowhere when there is no file. */
  locate: JsonFile['locate'];
}

const nowhere: JsonFile['locate'] = () => ({});

/** Reads fnrun.json from the app's `root`. `functions`: the names that its keys may name. */
export async function readAppConfig(root: string, functions: readonly string[]): Promise<ConfigReading> {
  const text = await readFile(join(root, file), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  return text === null ? { config: {}, problems: [], locate: nowhere } : checkConfigText(text, functions);
}

/** The same for the text of fnrun.json. */
export function checkConfigText(text: string, functions: readonly string[]): ConfigReading {
  const parsed = parseJsonFile(text, { file });
  if (isJsonError(parsed)) {
    const hint = 'fnrun.json is strict JSON: double quotes, no comments, no comma before } or ]';
    const problems = [
      problem('FN_BAD_SETTINGS', `fnrun.json is no JSON: ${parsed.message}`, { ...parsed.place, hint }),
    ];
    return { config: {}, problems, locate: nowhere };
  }
  const problems = parsed.duplicates.map(({ key, place }) =>
    problem('FN_BAD_SETTINGS', `the key "${key}" stands twice`, { ...place, hint: 'remove one of them' }),
  );
  for (const issue of checkAppConfig(parsed.value)) {
    if (issue.known === null) {
      problems.push(problem('FN_BAD_SETTINGS', issue.message, parsed.locate(issue.path)));
      continue;
    }
    const hint = suggest(String(issue.path.at(-1)), issue.known);
    problems.push(problem('FN_BAD_SETTINGS', issue.message, { ...parsed.locate(issue.path, { key: true }), hint }));
  }
  const { locate } = parsed;
  if (problems.length > 0) return { config: {}, problems, locate };
  const config = parsed.value as AppConfig;
  const late = [...unknownFunctions(config, { parsed, functions }), ...contradictions(config, locate)];
  return { config, problems: late, locate };
}

function unknownFunctions(
  config: AppConfig,
  { parsed, functions }: { parsed: JsonFile; functions: readonly string[] },
): BuildProblem[] {
  const unknown = Object.keys(config.functions ?? {}).filter((name) => !functions.includes(name));
  return unknown.map((name) =>
    problem('FN_BAD_SETTINGS', `functions["${name}"] names no function of the app`, {
      ...parsed.locate(['functions', name], { key: true }),
      hint: suggest(name, functions),
    }),
  );
}

/** Settings that are right one by one, but not with those of `defaults`. */
function contradictions({ defaults = {}, functions = {} }: AppConfig, locate: JsonFile['locate']): BuildProblem[] {
  return Object.entries(functions).flatMap(([name, own]) =>
    checkSettings({ ...defaults, ...own }).map(({ message }) =>
      problem(
        'FN_BAD_SETTINGS',
        `functions["${name}"] with defaults: ${message}`,
        locate(['functions', name], { key: true }),
      ),
    ),
  );
}

function suggest(word: string, known: readonly string[]): string {
  const near = nearest(word, known);
  if (near !== null) return `did you mean "${near}"?`;
  const shown = known.slice(0, 12).map((each) => `"${each}"`);
  return `known here: ${shown.join(', ')}${known.length > shown.length ? ', …' : ''}`;
}
