import type { TestProject } from 'vitest/node';
import { makeTempDir } from '../../support/temp-dir.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** A folder of the run's own, for disks that several files start from. */
    vpsFolder: string;
  }
}

/** Gives the files of one run a folder that they share. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await makeTempDir('fnrun-vps-');
  project.provide('vpsFolder', folder.path);
  return folder.remove;
}
