import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { TestProject } from 'vitest/node';
import { makeTempDir } from '../../support/temp-dir.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** A folder of the run's own, for disks that several files start from. */
    vpsFolder: string;
    /** What tells this run from others of the same folder. */
    vpsRun: string;
  }
}

/**
 * Gives the files of one run a folder that they share. FNRUN_VPS_FOLDER names one that is kept: the next run starts from the machine
 * that was set up in this one, and sets it up again with fnrun as it is now. For who works at the tests.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  project.provide('vpsRun', randomUUID());
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
