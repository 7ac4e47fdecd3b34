import { FnrunError } from '../../../../runtime/contract/errors.ts';
import { planConfig, settingsOf } from '../../../mysql/plan.ts';
import { renderConfig } from '../../../mysql/render-config.ts';
import { parseComplaints } from '../../../mysql/machine/validate-config.ts';
import { checkFile, readFile, writeFile } from '../../files.ts';
import type { Machine } from '../../machine.ts';
import { must } from '../../must.ts';
import type { Change, SetupContext, Step } from '../../step.ts';
import { applySettings } from './apply-settings.ts';
import { chosenServer, type DatabaseServer, installedVersion } from './engine.ts';
import { databaseFacts, isMeasured, measuredPath, measureWrites } from './machine-facts.ts';

/** In /run: a file that is written and not in effect yet, when a run broke in between. A boot brings all into effect. */
const note = '/run/fnrun-setup/database-config';

/** The option file of `fnrun render mysql`, for this machine. */
export const databaseConfigStep: Step = {
  id: 'database-config',
  title: 'the database server is tuned for this machine',
  check: async (context) => {
    const { machine } = context;
    const server = chosenServer(context);
    if (server === null) return [];
    const changes: Change[] = [];
    if (!(await isMeasured(machine))) {
      changes.push({ subject: measuredPath, what: 'measure the disk of the database, some seconds' });
    }
    const change = await checkFile(machine, await wantedFile(context, server));
    if (change !== null) changes.push({ ...change, what: `${change.what}, and restart ${server.service} if need be` });
    else if ((await machine.run(['test', '-e', note])).code === 0) {
      changes.push({ subject: server.service, what: 'bring into effect what an earlier run has written' });
    }
    return changes;
  },
  apply: async (context) => {
    const server = chosenServer(context);
    if (server === null) return;
    await measureOnce(context);
    const { machine, tell } = context;
    const wanted = await wantedFile(context, server);
    const before = await readFile(machine, server.configPath);
    await validate(machine, { server, text: wanted.text });
    await must(machine, ['sh', '-c', 'mkdir -p /run/fnrun-setup && : > "$1"', 'sh', note]);
    // The package makes it, for its own log.
    await must(machine, ['install', '-d', '-o', 'mysql', '-g', 'adm', '-m', '2750', '/var/log/mysql']);
    await writeFile(machine, wanted);
    try {
      await applySettings(machine, { server, settings: wanted.settings, tell });
    } catch (error) {
      // The last one that it ran with.
      if (before === null) await must(machine, ['rm', '-f', '--', server.configPath]);
      else await writeFile(machine, { path: server.configPath, text: before.text });
      await machine.run(['systemctl', 'restart', '--', server.service]);
      throw error;
    }
    await must(machine, ['rm', '-f', '--', note]);
  },
};

async function wantedFile(context: SetupContext, server: DatabaseServer) {
  const version = (await installedVersion(context.machine, server)) ?? server.expected;
  const facts = await databaseFacts(context, { server, version });
  const plan = planConfig(facts);
  return { path: server.configPath, text: renderConfig(plan, facts), settings: settingsOf(plan) };
}

async function measureOnce({ machine, tell }: SetupContext): Promise<void> {
  if (await isMeasured(machine)) return;
  tell('measuring the disk');
  const syncedWritesPerSecond = await measureWrites(machine);
  await writeFile(machine, { path: measuredPath, text: `${JSON.stringify({ syncedWritesPerSecond })}\n` });
}

// Neither opens the data folder. AppArmor lets the server of Ubuntu read below /etc/mysql and /tmp only.
const tryOut = [
  'set -e; dir=$(mktemp -d); trap \'rm -rf -- "$dir"\' EXIT; cat > "$dir/my.cnf"; chmod -R a+rX -- "$dir"; program=$1; shift',
  '"$program" --defaults-file="$dir/my.cnf" --user=root --datadir="$dir" "$@" > /dev/null',
].join('\n');

/** Throws FN_SETUP_FAILED when the server's own program does not take the file. */
async function validate(machine: Machine, { server, text }: { server: DatabaseServer; text: string }): Promise<void> {
  const how = server.engine === 'mysql' ? ['--validate-config'] : ['--help', '--verbose'];
  const { code, stderr } = await machine.run(['sh', '-c', tryOut, 'sh', server.program, ...how], { input: text });
  if (code === 0) return;
  const why = parseComplaints(stderr).join('; ') || stderr.trim() || `it ended with ${code}`;
  throw new FnrunError('FN_SETUP_FAILED', `${server.program} on ${machine.name} refuses its configuration: ${why}`, {
    hint: 'what it ran with stays; report this',
  });
}
