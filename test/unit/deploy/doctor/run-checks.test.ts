import { expect, test } from 'vitest';
import type { DoctorContext, MachineCheck } from '../../../../deploy/doctor/check.ts';
import { renderDiagnosis } from '../../../../deploy/doctor/report.ts';
import { runChecks } from '../../../../deploy/doctor/run-checks.ts';
import { FnrunError } from '../../../../runtime/contract/errors.ts';

const context = {
  signal: new AbortController().signal,
  wishes: null,
  machine: { name: 'root@203.0.113.7' },
  facts: { os: 'debian', version: '12', cores: 2, memoryMb: 1970 },
} as DoctorContext;
const finding = (id: string, severity: 'critical' | 'warning' | 'note') => ({
  id,
  severity,
  what: 'w',
  measured: 'm',
  todo: 't',
});
const check = (id: string, outcome: () => ReturnType<MachineCheck['check']>): MachineCheck => ({ id, check: outcome });

test('one check that fails hides no other, and is told', async () => {
  const { findings, skipped, seen, looked } = await runChecks(
    [
      check('note', async () => ({ findings: [finding('n', 'note')], seen: 'figures' })),
      check('broken', async () => Promise.reject(new Error('df: Permission denied'))),
      check('none', async () => ({ skipped: 'no such thing' })),
      check('grave', async () => ({ findings: [finding('g', 'critical')] })),
    ],
    context,
  );
  expect(findings.map(({ id }) => id)).toEqual(['g', 'broken-not-looked-at', 'n']);
  expect(findings[1]!.measured).toBe('df: Permission denied');
  expect([skipped, seen, looked]).toEqual([{ none: 'no such thing' }, { note: 'figures' }, 3]);
});

test('one check that does not end hides no other, and is told', async () => {
  const endless = check('endless', () => new Promise(() => undefined));
  const other = check('other', async () => ({ findings: [finding('o', 'note')] }));
  const { findings } = await runChecks([endless, other], context, { checkMs: 20 });
  expect(findings.map(({ id }) => id)).toEqual(['endless-not-looked-at', 'o']);
  expect(findings[0]!.measured).toBe('not done after 0.02 s');
});

test('a machine that is lost is no finding', async () => {
  const lost = check('lost', async () => Promise.reject(new FnrunError('FN_SSH_FAILED', 'gone')));
  await expect(runChecks([lost], context)).rejects.toThrow('gone');
});

test('no more checks run at once than sshd has sessions for', async () => {
  let running = 0;
  let most = 0;
  const slow = (id: string) =>
    check(id, async () => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
      return { findings: [] };
    });
  await runChecks(
    Array.from({ length: 30 }, (_, i) => slow(String(i))),
    context,
  );
  expect(most).toBeLessThanOrEqual(8);
});

test('what measures times runs when the others have ended', async () => {
  const order: string[] = [];
  const slow = (id: string, alone = false): MachineCheck => ({
    id,
    alone,
    check: async () => {
      order.push(`${id} begins`);
      await new Promise((resolve) => setImmediate(resolve));
      order.push(`${id} ends`);
      return { findings: [] };
    },
  });
  await runChecks([slow('times', true), slow('a'), slow('b')], context);
  expect(order.slice(-2)).toEqual(['times begins', 'times ends']);
});

test('what was left out is one line, by reason', () => {
  const skipped = { nginx: 'no nginx', certificates: 'none', 'setup-apt': 'not set up', 'setup-ssh': 'not set up' };
  const lines = renderDiagnosis(
    { findings: [], seen: { disk: '/ 30 %' }, trips: ['database 0.3 ms'], skipped, looked: 1 },
    { context, all: false },
  );
  expect(lines).toEqual([
    'root@203.0.113.7: debian 12, 2 cores, 1970 MB, not set up by fnrun server setup',
    'round trips: database 0.3 ms',
    'Well: 0 critical, 0 to do, 0 to note; 1 things looked at',
    'left out 4: nginx (no nginx), certificates (none), 2 steps of setup (not set up)',
  ]);
});
