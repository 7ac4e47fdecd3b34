import { readFileSync, rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { tableOf } from './table.ts';
import type { Entry } from './record.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    faultsFile: string;
  }
}

/** Collects what the tests measure, and prints it when all are done. */
export default async function setup(project: TestProject): Promise<() => void> {
  const folder = await mkdtemp(join(tmpdir(), 'fnrun-faults-'));
  const file = join(folder, 'faults.ndjson');
  project.provide('faultsFile', file);
  return () => {
    const text = readText(file);
    rmSync(folder, { recursive: true, force: true });
    if (text === '') return;
    const entries = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Entry);
    console.log(tableOf(entries));
  };
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
