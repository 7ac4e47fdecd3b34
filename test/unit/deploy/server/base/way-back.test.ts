import { expect, test } from 'vitest';
import type { Machine } from '../../../../../deploy/server/machine.ts';
import { changeWithWayBack } from '../../../../../deploy/server/steps/base/way-back.ts';
import { FnrunError } from '../../../../../runtime/contract/errors.ts';

interface Fate {
  /** A new login fails. */
  lockedOut?: boolean;
  /** So does the connection that there was, from the change on. */
  cut?: boolean;
  /** The timer has run before the login was there. */
  late?: boolean;
}

/** Tells what happened in its order. There is no systemd here to do it with; test/vps has one. */
async function tryChange({
  lockedOut = false,
  cut = false,
  late = false,
}: Fate): Promise<{ log: string[]; error: unknown }> {
  const log: string[] = [];
  let changed = false;
  const machine: Machine = {
    name: 'vm',
    local: false,
    run: async (argv) => {
      const line = argv.join(' ');
      if (cut && changed) throw new FnrunError('FN_SSH_FAILED', 'the connection broke');
      if (line.startsWith('systemd-run')) log.push('armed');
      else if (line === 'sh -c put back') log.push('put back');
      else if (line.includes('is-active')) log.push('disarmed');
      return { code: late && line.includes('is-active') ? 3 : 0, stdout: '', stderr: '' };
    },
    upload: async () => undefined,
    loginAnew: async () => {
      log.push('login');
      if (lockedOut || cut) throw new FnrunError('FN_SSH_FAILED', 'no login any more', { hint: 'look there' });
    },
    close: async () => undefined,
  };
  const change = async (): Promise<void> => {
    changed = true;
    log.push('changed');
  };
  const options = { id: 'sshd', subject: 'sshd', undo: 'put back', change };
  const error: unknown = await changeWithWayBack({ machine, tell: () => undefined }, options).then(
    () => null,
    (error: unknown) => error,
  );
  return { log, error };
}

test('a change is kept when a new login succeeds after it', async () => {
  expect(await tryChange({})).toEqual({ log: ['armed', 'changed', 'login', 'disarmed'], error: null });
});

test('a change that locks out is put back, and the error says so', async () => {
  const { log, error } = await tryChange({ lockedOut: true });
  expect(log).toEqual(['armed', 'changed', 'login', 'put back']);
  expect(error).toMatchObject({ code: 'FN_SETUP_FAILED', hint: 'look there' });
  expect(String(error)).toContain('sshd was not kept, it is again as it was before: no login any more');
});

test('a machine that is out of reach puts it back itself, and the error says when', async () => {
  const { log, error } = await tryChange({ cut: true });
  expect(log).toEqual(['armed', 'changed', 'login']);
  expect(String(error)).toContain('the machine itself puts back what was there, 180 s after the change');
});

test('a login that comes after the timer has run keeps nothing', async () => {
  const { log, error } = await tryChange({ late: true });
  expect(log).toEqual(['armed', 'changed', 'login', 'disarmed', 'put back']);
  expect(String(error)).toContain('it took longer than 180 s');
});
