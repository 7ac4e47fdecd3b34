import { join } from 'node:path';
import { build, type BuildProblem, type BuildSuccess } from '../builder/build.ts';
import { formatProblems } from '../builder/format-problems.ts';
import type { Manifest } from '../runtime/contract/manifest.ts';
import { createAppHost } from '../runtime/supervisor/create-app-host.ts';
import { localAppName } from './app-name.ts';
import { checkRelease } from './check-release.ts';
import type { CommandContext } from './command.ts';
import { requireFolder } from './require-folder.ts';
import { makeLocalFolder } from './local-folder.ts';
import { formatLogRecord } from './log-line.ts';
import { readEnv } from './read-env.ts';
import { renderRoutes } from './route-table.ts';
import { formatDuration } from './table.ts';

export interface RunBuildOptions extends Pick<CommandContext, 'json' | 'color' | 'signal' | 'out' | 'err'> {
  /** Absolute path of the app's root. */
  dir: string;
  /** Absolute path; the release becomes a folder in it. */
  releasesDir: string;
}

/** Builds and boot-checks the app in `dir` and prints the account or the problems. Resolves to the exit code. */
export async function runBuild(options: RunBuildOptions): Promise<number> {
  const { dir, releasesDir, json, signal, err } = options;
  requireFolder(dir);
  const onProgress = json ? () => undefined : (line: string) => err(line);
  const cacheDir = join(await makeLocalFolder(dir), 'cache');
  const built = await build({ sourceDir: dir, releasesDir, cacheDir, signal, onProgress });
  if (!built.ok) return fail(built, options);
  const env = await readEnv(dir);
  const host = createAppHost({
    app: localAppName(dir),
    onLog: (record) => err(formatLogRecord(record, { color: options.color })),
  });
  const abort = (): void => void host.stop();
  signal.addEventListener('abort', abort, { once: true });
  try {
    const checked = await checkRelease(host, built, { sourceDir: dir, env });
    if (!checked.ok) return fail({ problems: checked.problems, warnings: built.warnings }, options);
    succeed({ built, manifest: checked.manifest, notes: checked.notes, checkMs: checked.ms }, options);
    return 0;
  } finally {
    signal.removeEventListener('abort', abort);
    await host.stop();
  }
}

function fail(failure: { problems: BuildProblem[]; warnings: BuildProblem[] }, options: RunBuildOptions): number {
  if (options.json) options.out(JSON.stringify({ ok: false, ...failure }, null, 2));
  else {
    const { color } = options;
    if (failure.warnings.length > 0) options.err(formatProblems(failure.warnings, { color, kind: 'warning' }));
    options.err(formatProblems(failure.problems, { color }));
  }
  return 1;
}

function succeed(
  { built, manifest, notes, checkMs }: { built: BuildSuccess; manifest: Manifest; notes: string[]; checkMs: number },
  { json, color, out, err }: RunBuildOptions,
): void {
  const { release, dir, warnings, timings, changed } = built;
  if (json) {
    out(
      JSON.stringify(
        { ok: true, release, dir, changed, warnings, notes, timings: { ...timings, checkMs }, manifest },
        null,
        2,
      ),
    );
    return;
  }
  if (warnings.length > 0) err(formatProblems(warnings, { color, kind: 'warning' }));
  for (const note of notes) err(`warning: ${note}`);
  const kilobytes = Math.round(manifest.functions.reduce((sum, fn) => sum + fn.bytes, 0) / 1000);
  out(`${renderRoutes(manifest.functions)}\n`);
  out(`functions   ${manifest.functions.length}, ${changed.length} changed, ${kilobytes} kB`);
  out(`build       ${formatDuration(timings.totalMs)}`);
  out(`boot check  ${formatDuration(checkMs)}`);
  out(`release     ${dir}`);
}
