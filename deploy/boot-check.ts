import { chmod, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BuildProblem } from '../builder/build.ts';
import type { ErrorCode } from '../runtime/contract/errors.ts';
import type { BootCheckEntry } from '../runtime/contract/ipc.ts';
import { type Manifest, manifestName } from '../runtime/contract/manifest.ts';
import { permissionHint } from './permission-hint.ts';

/**
 * Completes the manifest of the release in `dir` by what loading its functions told about them, which
 * routing needs; `release` names it when it is not the build alone (see `manifestName`). Resolves to the whole
 * manifest. With `durable` it is on the disk by then.
 */
export async function writeInspections(
  release: { dir: string; manifest: Manifest },
  entries: readonly BootCheckEntry[],
  { durable, release: id }: { durable: boolean; release?: string },
): Promise<Manifest> {
  const known = new Map(entries.map((entry) => [entry.name, entry.inspection]));
  const functions = release.manifest.functions.map((fn) => ({
    ...fn,
    inspection: known.get(fn.name) ?? fn.inspection,
  }));
  const manifest: Manifest = { ...release.manifest, functions };
  const file = join(release.dir, manifestName(id === undefined ? {} : { release: id }));
  const temporary = `${file}.new`;
  await writeFile(temporary, `${JSON.stringify(manifest, null, 2)}\n`, { flush: durable });
  // The app's own user is neither the server nor in its group.
  await chmod(temporary, 0o644);
  await rename(temporary, file);
  return manifest;
}

const hints: Readonly<Record<string, string>> = {
  FN_LOAD_TIMEOUT: 'do less while the module loads: connect on the first request instead',
};

/** A function that did not load, as a problem of its source. */
export async function problemOfEntry(
  entry: BootCheckEntry,
  { sourceDir, manifest }: { sourceDir: string; manifest: Manifest },
): Promise<BuildProblem> {
  const error = entry.error;
  const file = error?.file ?? manifest.functions.find((fn) => fn.name === entry.name)?.source ?? null;
  const line = (error?.file ?? null) === null ? null : (error?.line ?? null);
  return {
    code: (error?.code ?? 'FN_LOAD_FAILED') as ErrorCode,
    message: error?.message ?? 'The function did not load',
    file,
    line,
    column: line === null ? null : (error?.column ?? null),
    lineText: file === null || line === null ? null : await readLine(join(sourceDir, file), line),
    length: null,
    hint: permissionHint(error?.message ?? '') ?? hints[error?.code ?? ''] ?? null,
  };
}

/** What the modules' settings are warned about, each line with the function's name. */
export function warningsOf(entries: readonly BootCheckEntry[]): string[] {
  return entries.flatMap(({ name, inspection }) => (inspection?.warnings ?? []).map((text) => `${name}: ${text}`));
}

async function readLine(file: string, line: number): Promise<string | null> {
  try {
    return (await readFile(file, 'utf8')).split(/\r?\n/)[line - 1] ?? null;
  } catch {
    return null;
  }
}
