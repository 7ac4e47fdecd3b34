import { readFile, writeFile } from '../../../files.ts';
import type { Machine } from '../../../machine.ts';
import { must } from '../../../must.ts';

export const fstab = '/etc/fstab';

/** Its text; an empty one where there is none. */
export async function readFstab(machine: Machine): Promise<string> {
  return (await readFile(machine, fstab))?.text ?? '';
}

/**
 * Replaces /etc/fstab: a bad one keeps a machine from starting, so findmnt judges it before. What it finds wrong with the one
 * that is there already is not ours. Throws FN_SETUP_FAILED, and then nothing has changed.
 */
export async function writeFstab(machine: Machine, text: string): Promise<void> {
  const path = '/run/fnrun-setup/fstab';
  await writeFile(machine, { path, text });
  const verify = (file: string): string[] => ['findmnt', '--verify', '--tab-file', file];
  if ((await machine.run(verify(path))).code !== 0 && (await machine.run(verify(fstab))).code === 0) {
    await must(machine, verify(path));
  }
  await writeFile(machine, { path: fstab, text });
  await must(machine, ['rm', '-f', '--', path]);
  // Its units are made of it.
  await must(machine, ['systemctl', 'daemon-reload']);
}
