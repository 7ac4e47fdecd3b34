import { join } from 'node:path';
import type { DoctorContext, Places } from '../../deploy/doctor/check.ts';
import { checks } from '../../deploy/doctor/checks.ts';
import { renderDiagnosis } from '../../deploy/doctor/report.ts';
import { runChecks } from '../../deploy/doctor/run-checks.ts';
import { needsAction } from '../../deploy/mysql/doctor/finding.ts';
import { gatherFacts } from '../../deploy/server/gather-facts.ts';
import type { MachineFacts } from '../../deploy/server/facts.ts';
import type { Machine } from '../../deploy/server/machine.ts';
import { openMachine } from '../../deploy/server/open-machine.ts';
import { mergeWishes, readWishes } from '../../deploy/server/wishes.ts';
import { packageRoot } from '../../runtime/entry-points.ts';
import type { CommandContext } from '../command.ts';
import { resolveHome, serviceHome } from '../home.ts';

/** What a person says of the machine. */
export interface DoctorMachineValues {
  home?: string | undefined;
  ssh?: string | undefined;
  all?: boolean | undefined;
}

type Context = Pick<CommandContext, 'env' | 'cwd' | 'json' | 'out' | 'signal'> & { values: DoctorMachineValues };

/** Where a server has things; `fnrun server setup` puts them there. */
const usual: Omit<Places, 'home'> = {
  certificates: '/var/lib/fnrun-tls',
  backups: '/var/backups/fnrun',
  current: '/opt/fnrun/current',
  httpPort: 80,
  httpsPort: 443,
};

/** `fnrun doctor [TARGET]`: resolves to 1 when there is something to do. */
export async function doctorMachine(target: string, context: Context): Promise<number> {
  const { values, env, json, out, signal } = context;
  const machine = await openMachine(target, { ssh: values.ssh ?? (env['GIT_SSH_COMMAND'] || 'ssh') });
  try {
    const doctor = await contextOf(target, { ...context, machine });
    const diagnosis = await runChecks(checks, doctor);
    const isWell = !needsAction(diagnosis.findings);
    if (json)
      out(
        JSON.stringify(
          { machine: machine.name, well: isWell, ...diagnosis, facts: doctor.facts, wishes: doctor.wishes },
          null,
          2,
        ),
      );
    else for (const line of renderDiagnosis(diagnosis, { context: doctor, all: values.all === true })) out(line);
    signal.throwIfAborted();
    return isWell ? 0 : 1;
  } finally {
    await machine.close();
  }
}

async function contextOf(
  target: string,
  { machine, values, env, cwd, signal }: Context & { machine: Machine },
): Promise<DoctorContext> {
  const [facts, kept] = await Promise.all([gatherFacts(machine), readWishes(machine)]);
  const home = machine.local ? resolveHome(values.home, { env, cwd }) : (values.home ?? serviceHome);
  return {
    machine,
    facts,
    wishes: kept === null ? null : mergeWishes({}, kept),
    places: { ...usual, home },
    ...programsOf(machine, facts),
    target,
    now: () => new Date(),
    signal,
  };
}

/** The fnrun that serves there, else this one. */
function programsOf({ local }: Machine, { installed }: MachineFacts): Pick<DoctorContext, 'fnrun' | 'node'> {
  if (installed) return { fnrun: ['/usr/local/bin/fnrun'], node: [`${usual.current}/bin/node`] };
  if (!local) return { fnrun: null, node: null };
  return { fnrun: [process.execPath, join(packageRoot(), 'cli/fnrun.js')], node: [process.execPath] };
}
