import { describe, expect, it } from 'vitest';
import { diffLines } from '../../../../cli/server/diff-lines.ts';
import { renderPlan } from '../../../../cli/server/render-plan.ts';

const numbers = (from: number, to: number): string =>
  Array.from({ length: to - from + 1 }, (_, i) => `line ${from + i}\n`).join('');

describe('a plan', () => {
  it('shows each change, and of files what becomes of their lines', () => {
    const text = renderPlan(
      [
        {
          id: 'sshd',
          title: 'ssh takes keys only',
          changes: [
            { subject: '/etc/a', what: 'change /etc/a', before: 'one\ntwo\n', after: 'one\n2\n' },
            { subject: 'nginx', what: 'install nginx' },
          ],
        },
        { id: 'swap', title: 'there is swap', changes: [] },
      ],
      { color: false },
    );
    expect(text.split('\n')).toEqual([
      'sshd  ssh takes keys only',
      '  ~ change /etc/a',
      '        one',
      '      - two',
      '      + 2',
      '  ~ install nginx',
      '',
      '2 changes in 1 step; as it should be: swap.',
    ]);
  });

  it('is coloured on request only, and never lets a text from the machine move the cursor', () => {
    const steps = [
      { id: 'a', title: 'b', changes: [{ subject: 'f', what: 'change f', before: null, after: '\u001b[2Jx' }] },
    ];
    expect(renderPlan(steps, { color: false })).not.toContain('\u001b');
    const colored = renderPlan(steps, { color: true });
    expect(colored).toContain('\u001b[32m+ \ufffd[2Jx\u001b[39m');
  });

  it('says so when there is nothing to do', () => {
    expect(renderPlan([{ id: 'a', title: 'b', changes: [] }], { color: false })).toBe(
      'Nothing to change; as it should be: a.',
    );
  });
});

describe('a diff', () => {
  it('has two lines around each change, and a gap between changes', () => {
    const before = numbers(1, 20);
    const after = before.replace('line 5\n', 'five\n').replace('line 15\n', '');
    expect(diffLines(before, after).map(({ kind, text }) => `${kind} ${text}`)).toEqual([
      'gap …',
      'same line 3',
      'same line 4',
      'old line 5',
      'new five',
      'same line 6',
      'same line 7',
      'gap …',
      'same line 13',
      'same line 14',
      'old line 15',
      'same line 16',
      'same line 17',
    ]);
  });

  it('does not compare texts of any length', () => {
    expect(diffLines(numbers(1, 4000), numbers(1, 2000))).toEqual([{ kind: 'gap', text: '4000 lines become 2000' }]);
  });
});
