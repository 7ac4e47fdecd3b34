import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { problem } from '../problem.ts';
import type { BuildProblem } from '../problem.ts';
import { isJsonError, parseJsonFile } from '../source/json-file.ts';
import type { JsonFile } from '../source/json-file.ts';

/** The parts of package.json that a build looks at. */
export interface PackageJson {
  name?: string;
  exports?: unknown;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
}

/** package.json of an app; `value` and `file` are null when there is none, or none that can be read. */
export interface PackageReading {
  value: PackageJson | null;
  file: JsonFile | null;
  problems: BuildProblem[];
}

const dependencyFields = ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies'] as const;

/** Reads `<root>/package.json`. */
export async function readPackageJson(root: string): Promise<PackageReading> {
  const text = await readFile(join(root, 'package.json'), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  return text === null ? { value: null, file: null, problems: [] } : checkPackageText(text);
}

/** The same for the text of package.json. */
export function checkPackageText(text: string): PackageReading {
  const parsed = parseJsonFile(text, { file: 'package.json' });
  if (isJsonError(parsed)) {
    const hint = 'correct it, or make a new one with "npm init"';
    return {
      value: null,
      file: null,
      problems: [problem('FN_LOCKFILE', `package.json is no JSON: ${parsed.message}`, { ...parsed.place, hint })],
    };
  }
  const value = parsed.value as PackageJson | null;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return {
      value: null,
      file: null,
      problems: [problem('FN_LOCKFILE', 'package.json must be an object', parsed.locate([]))],
    };
  }
  const problems = dependencyFields.flatMap((field) => {
    const map: unknown = value[field];
    const fits =
      map === undefined ||
      (typeof map === 'object' &&
        map !== null &&
        !Array.isArray(map) &&
        Object.values(map).every((range) => typeof range === 'string'));
    return fits
      ? []
      : [
          problem(
            'FN_LOCKFILE',
            `${field} must be an object of version ranges by package name`,
            parsed.locate([field]),
          ),
        ];
  });
  return problems.length > 0 ? { value: null, file: null, problems } : { value, file: parsed, problems };
}

/** Whether the app needs packages at run time. */
export function hasDependencies(value: PackageJson | null): value is PackageJson {
  return Object.keys({ ...value?.dependencies, ...value?.optionalDependencies }).length > 0;
}
