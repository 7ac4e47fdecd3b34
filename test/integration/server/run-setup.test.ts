import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { checkFile, writeFile as put, type WantedFile } from '../../../deploy/server/files.ts';
import type { MachineFacts } from '../../../deploy/server/facts.ts';
import { gatherFacts } from '../../../deploy/server/gather-facts.ts';
import type { Machine } from '../../../deploy/server/machine.ts';
import { must } from '../../../deploy/server/must.ts';
import { planSetup, runSetup, type SetupOutcome } from '../../../deploy/server/run-setup.ts';
import { openSshMachine } from '../../../deploy/server/ssh-machine.ts';
import type { SetupContext, Step } from '../../../deploy/server/step.ts';
import { defaultWishes } from '../../../deploy/server/wishes.ts';
import { startSshd, type Sshd } from '../../support/sshd.ts';
import { makeTempDir, type TempDir } from '../../support/temp-dir.ts';

describe('a setup over ssh', () => {
  let work: TempDir;
  let sshd: Sshd;
  let machine: Machine;
  let context: SetupContext;
  let stop: AbortController;
  let facts: MachineFacts;
  const path = (name: string): string => join(work.path, 'machine', name);

  beforeAll(async () => {
    work = await makeTempDir('fn-');
    sshd = await startSshd({ authorizedKeys: join(work.path, 'authorized_keys') });
    const key = await sshd.makeKey('admin');
    await writeFile(join(work.path, 'authorized_keys'), await readFile(`${key}.pub`));
    const target = { destination: `${sshd.user}@127.0.0.1`, port: sshd.port };
    machine = await openSshMachine({ target, ssh: await sshd.sshCommand(key) });
    facts = await gatherFacts(machine);
  });

  beforeEach(async () => {
    await rm(join(work.path, 'machine'), { recursive: true, force: true });
    stop = new AbortController();
    context = { machine, facts, wishes: defaultWishes, tell: () => undefined, signal: stop.signal };
  });

  afterAll(async () => {
    await machine?.close();
    await sshd?.stop();
    await work?.remove();
  });

  /** A step that keeps one file. */
  function fileStep(name: string, text: string): Step {
    const wanted: WantedFile = { path: path(name), text, mode: 0o640 };
    return {
      id: name,
      title: `there is ${name}`,
      check: async () => [await checkFile(machine, wanted)].filter((change) => change !== null),
      apply: () => put(machine, wanted),
    };
  }

  /** A step that only works when another file is there. */
  const needy: Step = {
    id: 'needy',
    title: 'there is a copy',
    check: async () => {
      const { code } = await machine.run(['test', '-e', path('copy')]);
      return code === 0 ? [] : [{ subject: path('copy'), what: 'make a copy' }];
    },
    apply: async () => void (await must(machine, ['cp', path('original'), path('copy')])),
  };

  const states = ({ steps }: SetupOutcome): Record<string, string> =>
    Object.fromEntries(steps.map(({ id, state }) => [id, state]));

  const run = (steps: readonly Step[]): Promise<SetupOutcome> =>
    runSetup(steps, { context, observer: { begin: () => undefined, end: () => undefined } });

  it('plans without touching anything', async () => {
    const planned = await planSetup([fileStep('one', 'a\n'), needy], context);
    expect(planned).toEqual([
      {
        id: 'one',
        title: 'there is one',
        changes: [{ subject: path('one'), what: `write ${path('one')}`, before: null, after: 'a\n' }],
      },
      { id: 'needy', title: 'there is a copy', changes: [{ subject: path('copy'), what: 'make a copy' }] },
    ]);
    expect(existsSync(path(''))).toBe(false);
  });

  it('changes what has to be, and a second time nothing', async () => {
    const steps = [fileStep('one', 'a\n'), fileStep('original', "it's $HOME\n"), needy];
    expect(states(await run(steps))).toEqual({ one: 'changed', original: 'changed', needy: 'changed' });
    expect(await readFile(path('copy'), 'utf8')).toBe("it's $HOME\n");
    const again = await run(steps);
    expect(states(again)).toEqual({ one: 'unchanged', original: 'unchanged', needy: 'unchanged' });
    await writeFile(path('one'), 'drifted\n');
    expect(states(await run(steps))).toEqual({ one: 'changed', original: 'unchanged', needy: 'unchanged' });
  });

  it('ends at a step that fails, with the words of its program, and goes on from there the next time', async () => {
    const steps = [fileStep('one', 'a\n'), needy, fileStep('last', 'z\n')];
    const failed = await run(steps);
    expect(states(failed)).toEqual({ one: 'changed', needy: 'failed', last: 'not run' });
    expect(failed.error).toMatchObject({ code: 'FN_SETUP_FAILED' });
    expect(failed.error?.message).toMatch(/^Step needy: cp .*No such file or directory$/s);
    expect(existsSync(path('last'))).toBe(false);
    await writeFile(path('original'), 'x');
    expect(states(await run(steps))).toEqual({ one: 'unchanged', needy: 'changed', last: 'changed' });
  });

  it('takes a step that did not do what it said for failed', async () => {
    const lazy: Step = { ...fileStep('one', 'a\n'), apply: async () => undefined };
    const outcome = await run([lazy]);
    expect(states(outcome)).toEqual({ one: 'failed' });
    expect(outcome.error?.message).toBe(`Step one: it was applied, and still there is to do: write ${path('one')}`);
  });

  it('ends between two steps when it is told to, never within one', async () => {
    const first = fileStep('one', 'a\n');
    const interrupted: Step = {
      ...first,
      apply: async () => {
        stop.abort();
        await put(machine, { path: path('one'), text: 'a\n', mode: 0o640 });
      },
    };
    const outcome = await run([interrupted, fileStep('two', 'b\n')]);
    expect(states(outcome)).toEqual({ one: 'changed', two: 'not run' });
    expect(outcome).toMatchObject({ stopped: true, error: null });
    await expect(planSetup([first], context)).rejects.toThrow(/abort/i);
  });

  it('ends with what ssh says when the connection cannot be made again', async () => {
    const cut: Step = {
      ...fileStep('one', 'a\n'),
      apply: async () => {
        await rm(join(work.path, 'authorized_keys'));
        await machine.loginAnew();
      },
    };
    const outcome = await run([cut, fileStep('two', 'b\n')]);
    expect(states(outcome)).toEqual({ one: 'failed', two: 'not run' });
    expect(outcome.error).toMatchObject({ code: 'FN_SSH_FAILED' });
    expect(outcome.error?.message).toContain('Permission denied');
  });
});
