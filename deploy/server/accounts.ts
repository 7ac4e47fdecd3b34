import { must } from './must.ts';
import type { Machine } from './machine.ts';

/** A user of the machine, as /etc/passwd has it. */
export interface Account {
  name: string;
  home: string;
  shell: string;
  /** Its first group. */
  group: string;
}

/** Looks a user up; null: there is none. */
export async function findAccount(machine: Machine, name: string): Promise<Account | null> {
  const { code, stdout } = await machine.run(['getent', 'passwd', '--', name]);
  if (code !== 0) return null;
  const [, , , , , home = '', shell = ''] = stdout.trim().split(':');
  const group = (await must(machine, ['id', '-gn', '--', name])).trim();
  return { name, home, shell, group };
}
