import type { MachineFacts, Wishes } from '../../deploy/server/facts.ts';
import { gatherFacts } from '../../deploy/server/gather-facts.ts';
import type { Machine } from '../../deploy/server/machine.ts';
import { openMachine } from '../../deploy/server/open-machine.ts';
import { checkMachine } from '../../deploy/server/requirements.ts';
import { planSetup, runSetup, type SetupOutcome } from '../../deploy/server/run-setup.ts';
import type { SetupContext } from '../../deploy/server/step.ts';
import { steps } from '../../deploy/server/steps.ts';
import { mergeWishes, readWishes } from '../../deploy/server/wishes.ts';
import { FnrunError } from '../../runtime/contract/errors.ts';
import { jsonOption, type CommandContext, type CommandOptions } from '../command.ts';
import { describeError, renderError } from '../print-error.ts';
import { formatDuration } from '../table.ts';
import { findAdminKeys } from './admin-keys.ts';
import { liveList } from './live-list.ts';
import { renderPlan } from './render-plan.ts';
import { readAsked, wishOptions } from './wish-options.ts';

export const setupOptions = {
  plan: { type: 'boolean', description: 'print what would be changed, as a diff, and change nothing' },
  ...wishOptions,
  ssh: {
    type: 'string',
    value: 'COMMAND',
    description: 'the ssh to use, with options (default: $GIT_SSH_COMMAND, else ssh)',
  },
  ...jsonOption,
} as const satisfies CommandOptions;

type Context = CommandContext<typeof setupOptions>;

/** `fnrun server setup TARGET`. */
export async function setupServer(context: Context): Promise<number> {
  const target = context.positionals[1];
  if (target === undefined) {
    throw new FnrunError('FN_USAGE', 'There is no machine to set up', {
      hint: 'name it: fnrun server setup root@203.0.113.7, or local for this one',
    });
  }
  const asked = readAsked(context.values);
  const ssh = context.values.ssh ?? (context.env['GIT_SSH_COMMAND'] || 'ssh');
  const machine = await openMachine(target, { ssh });
  try {
    const facts = await gatherFacts(machine);
    checkMachine(facts, machine);
    const kept = await readWishes(machine);
    const files = context.values.key ?? [];
    const keptKeys = kept?.adminKeys ?? [];
    const adminKeys = await findAdminKeys({ files, kept: keptKeys, target, machine, ssh, cwd: context.cwd });
    const wishes = mergeWishes({ ...asked, adminKeys }, kept);
    return await (context.values.plan === true ? showPlan : setUp)({ context, machine, facts, wishes });
  } finally {
    await machine.close();
  }
}

interface Setup {
  context: Context;
  machine: Machine;
  facts: MachineFacts;
  wishes: Wishes;
}

async function showPlan({ context, machine, facts, wishes }: Setup): Promise<number> {
  const { signal, json, out, color } = context;
  const planned = await planSetup(steps, { machine, facts, wishes, tell: () => undefined, signal });
  out(
    json
      ? JSON.stringify({ machine: machine.name, facts, wishes, steps: planned }, null, 2)
      : renderPlan(planned, { color }),
  );
  return 0;
}

async function setUp({ context, machine, facts, wishes }: Setup): Promise<number> {
  const { signal, json, out, err, color } = context;
  const write = !json && process.stdout.isTTY ? (text: string) => void process.stdout.write(text) : null;
  const list = liveList({ out: json ? () => undefined : out, write, color, columns: () => process.stdout.columns });
  const onAbort = (): void => list.tell('stops when this step is done; again to end at once');
  signal.addEventListener('abort', onAbort, { once: true });
  if (!json) out(`${machine.name}: ${facts.os} ${facts.version}, ${facts.cores} cores, ${facts.memoryMb} MB`);
  const began = performance.now();
  const setup: SetupContext = { machine, facts, wishes, tell: (line) => list.tell(line), signal };
  const outcome = await runSetup(steps, { context: setup, observer: list });
  signal.removeEventListener('abort', onAbort);
  const ms = Math.round(performance.now() - began);
  if (json) {
    const error = outcome.error === null ? null : describeError(outcome.error);
    out(JSON.stringify({ machine: machine.name, facts, wishes, ms, ...outcome, error }, null, 2));
  } else {
    if (outcome.error !== null) err(renderError(describeError(outcome.error), { json: false }));
    (outcome.error === null ? out : err)(summary(outcome, ms));
  }
  signal.throwIfAborted();
  return outcome.error === null ? 0 : 1;
}

/** What is done and what is not. */
export function summary({ steps, error, stopped }: SetupOutcome, ms: number): string {
  const changes = steps.filter(({ state }) => state === 'changed').flatMap((step) => step.changes).length;
  const left = steps.filter(({ state }) => state === 'failed' || state === 'not run').map(({ id }) => id);
  const done = steps.length - left.length;
  if (error === null && !stopped) {
    return `${changes === 0 ? 'Nothing was to be changed' : `Done: ${changes} changes`} (${steps.length} steps, ${formatDuration(ms)}).`;
  }
  return `${done} of ${steps.length} steps are done; not done: ${left.join(', ')}. Run it again to go on from there.`;
}
