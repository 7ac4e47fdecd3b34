import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { runProgram } from '../../run-program.ts';
import type { NginxFile } from '../directive.ts';
import { renderFile } from '../render-config.ts';
import type { InstalledNginx } from './detect-nginx.ts';
import { relocate } from './relocate.ts';

/** What nginx itself says of a configuration. */
export interface NginxVerdict {
  ok: boolean;
  /** Errors and warnings, one each, without the time. */
  complaints: string[];
}

/** The program that judges. */
export type Judge = Pick<InstalledNginx, 'program' | 'modulesPath'>;

/** Has nginx read `files`, nginx.conf among them, in a scratch folder: `nginx -t` with the modules of this machine. */
export async function validateNginx(
  files: readonly NginxFile[],
  { program, modulesPath }: Judge,
): Promise<NginxVerdict> {
  // Short: it makes sockets there, and their paths have 107 bytes.
  const dir = await mkdtemp(join(tmpdir(), 'fn-nginx-'));
  try {
    await writeFiles(
      files.map((file) => relocate(file, { dir, isRoot: process.getuid?.() === 0 })),
      { dir },
    );
    // The distribution loads its modules by a path from nginx's own folder.
    if (modulesPath !== null) await symlink(modulesPath, join(dir, 'modules'));
    const ran = await runProgram(program, ['-t', '-q', '-p', dir, '-c', join(dir, 'nginx.conf'), '-e', 'stderr']);
    if (ran === null) return { ok: false, complaints: [`${program} is not there`] };
    const complaints = parseComplaints(ran.stderr, dir);
    const silent = complaints.length === 0 && ran.code !== 0;
    return { ok: ran.code === 0, complaints: silent ? [`it ended with ${ran.code ?? 'a signal'}`] : complaints };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** Writes files below `dir`, and the folder that nginx's temporary files are in. */
export async function writeFiles(files: readonly NginxFile[], { dir }: { dir: string }): Promise<void> {
  await mkdir(join(dir, 'tmp'), { recursive: true });
  for (const file of files) {
    const path = join(dir, file.name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, renderFile(file));
  }
}

/** `[emerg] unknown directive …`, `[warn] …`, with paths from the scratch folder. */
function parseComplaints(text: string, dir: string): string[] {
  return text
    .split('\n')
    .map((line) => /\[(?:emerg|alert|crit|error|warn)\] (?:\d+#\d+: )?(.*)$/.exec(line)?.[1] ?? '')
    .filter((line) => line !== '' && !line.startsWith('the "user" directive makes sense only'))
    .map((line) => line.replaceAll(`${dir}/`, ''));
}
