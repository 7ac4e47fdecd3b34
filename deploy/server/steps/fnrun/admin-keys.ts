import type { KeyBody } from '../../../../router/control/key-types.ts';
import { parsePublicKey } from '../../../keys/public-key.ts';
import { layout } from '../../layout.ts';
import type { Machine } from '../../machine.ts';
import { must } from '../../must.ts';
import type { SetupContext, Step } from '../../step.ts';

/** The administrator's keys may push to every app, and give others the right to. */
export const adminKeysStep: Step = {
  id: 'admin-keys',
  title: "the administrator's keys may push to every app",
  check: async (context) =>
    (await missing(context)).map(({ fingerprint }) => ({
      subject: fingerprint,
      what: `let the key ${fingerprint} do everything`,
    })),
  apply: async (context) => {
    const { machine } = context;
    for (const { line, fingerprint } of await missing(context)) {
      const keys = await listKeys(machine);
      // A key of the same kind that may less has been given to somebody: an administrator may more.
      const same = keys.find((key) => key.fingerprint === fingerprint);
      if (same !== undefined) await fnrun(machine, ['keys', 'remove', same.name]);
      await fnrun(machine, ['keys', 'add', freeName(keys), '--admin'], line);
    }
  },
};

interface MissingKey {
  line: string;
  fingerprint: string;
}

async function missing({ machine, wishes }: SetupContext): Promise<MissingKey[]> {
  const admins = new Set((await listKeys(machine)).filter(({ admin }) => admin).map(({ fingerprint }) => fingerprint));
  return wishes.adminKeys
    .map((line) => ({ line, fingerprint: parsePublicKey(line).fingerprint }))
    .filter(({ fingerprint }) => !admins.has(fingerprint));
}

/** None where no server runs yet. */
async function listKeys(machine: Machine): Promise<KeyBody[]> {
  const { code, stdout } = await machine.run([layout.command, 'keys', 'list', '--json', '--home', layout.home]);
  return code === 0 ? (JSON.parse(stdout) as KeyBody[]) : [];
}

function freeName(keys: readonly KeyBody[]): string {
  const taken = new Set(keys.map(({ name }) => name));
  for (let number = 1; ; number++) {
    const name = number === 1 ? 'admin' : `admin-${number}`;
    if (!taken.has(name)) return name;
  }
}

async function fnrun(machine: Machine, args: readonly string[], input?: string): Promise<void> {
  const argv = [layout.command, ...args, '--home', layout.home];
  await must(machine, argv, input === undefined ? {} : { input: `${input}\n` });
}
