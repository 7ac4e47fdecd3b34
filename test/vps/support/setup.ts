import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import type { TestProject } from 'vitest/node';
import { repositoryRoot } from '../../support/cli.ts';
import { makeTempDir } from '../../support/temp-dir.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** A folder of the run's own, for disks that several files start from. */
    vpsFolder: string;
    /** What a machine in a kept folder was set up by: the commit, or this run when the tree is not as it was committed. */
    vpsRun: string;
  }
}

/**
 * Gives the files of one run a folder that they share. FNRUN_VPS_FOLDER names one that is kept: the next run starts from the machine
 * that was set up in this one, and sets it up again, when fnrun is another by now. For who works at the tests.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  project.provide('vpsRun', (await commit()) ?? randomUUID());
  const kept = process.env['FNRUN_VPS_FOLDER'];
  if (kept !== undefined) {
    await mkdir(kept, { recursive: true });
    project.provide('vpsFolder', resolve(kept));
    return () => Promise.resolve();
  }
  const folder = await makeTempDir('fnrun-vps-');
  project.provide('vpsFolder', folder.path);
  return folder.remove;
}

/** Null: the tree is not as it was committed. */
async function commit(): Promise<string | null> {
  const git = async (...args: string[]): Promise<string> =>
    (await promisify(execFile)('git', args, { cwd: repositoryRoot })).stdout.trim();
  return (await git('status', '--porcelain')) === '' ? await git('rev-parse', 'HEAD') : null;
}
