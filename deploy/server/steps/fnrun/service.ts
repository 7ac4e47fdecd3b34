import { renderUnit } from '../../../systemd/render-unit.ts';
import { planUnit } from '../../../systemd/unit.ts';
import { checkFile, readFile, writeFile, type WantedFile } from '../../files.ts';
import { currentProgram, layout, serviceNote as note } from '../../layout.ts';
import { must } from '../../must.ts';
import { checkPackages, installPackages } from '../../packages.ts';
import { configText } from '../app-users.ts';
import type { SetupContext, Step } from '../../step.ts';
import { bridge, endBridge, replaceService, startService } from './replace-service.ts';

// setfacl: the server lets the users of apps to their files.
const packages = ['acl', 'curl'];

/** The unit, by what the server's configuration says, or will. */
async function unitFile({ machine, wishes: { domain } }: SetupContext): Promise<WantedFile> {
  const { home, user } = layout;
  const config = await readFile(machine, `${home}/config.json`);
  const { appUsers } = JSON.parse(configText(config?.text ?? null, { domain })) as { appUsers?: object };
  const facts = { home, user, program: currentProgram, appUsers: appUsers !== undefined };
  return { path: `/etc/systemd/system/${layout.unit}`, text: renderUnit(planUnit(facts)) };
}

// One look: how the unit stands, which program runs, which is current, who answers.
const look = [
  'systemctl show -p ActiveState,UnitFileState,MainPID -- "$1"',
  'pid=$(systemctl show -p MainPID --value -- "$1")',
  'echo "running=$(readlink "/proc/$pid/exe")"; echo "current=$(readlink -f "$2/bin/node")"',
  'echo "answers=$(curl -s --max-time 10 --unix-socket "$3/run/control.sock" http://control/v1/health)"',
  'echo "bridge=$(systemctl is-active -- "$4")"; [ -e "$5" ] && echo note=yes; exit 0',
].join('\n');

async function lookAt({ machine }: SetupContext): Promise<(name: string) => string> {
  const argv = ['sh', '-c', look, 'sh', layout.unit, layout.current, layout.home, bridge, note];
  const lines = (await must(machine, argv)).split('\n');
  return (name) => lines.find((line) => line.startsWith(`${name}=`))?.slice(name.length + 1) ?? '';
}

/** The server runs, at every boot, as the current version. */
export const serviceStep: Step = {
  id: 'service',
  title: 'the server of fnrun runs, and starts at boot',
  check: async (context) => {
    const changes = await checkPackages(context.machine, packages);
    const file = await checkFile(context.machine, await unitFile(context));
    if (file !== null) changes.push(file);
    const is = await lookAt(context);
    const change = (what: string): number => changes.push({ subject: layout.unit, what });
    if (is('UnitFileState') !== 'enabled') change(`enable ${layout.unit}, so that it starts at boot`);
    if (is('ActiveState') !== 'active') change(`start ${layout.unit}`);
    else if (is('running') !== is('current'))
      change(`replace the server that runs, ${versionOf(is('running'))}, by ${versionOf(is('current'))}`);
    else if (file !== null || is('note') !== '') change('have the server run as its unit and config.json say');
    else if (pidOf(is('answers')) !== is('MainPID')) change('have the server of the unit answer, and no other');
    if (['active', 'activating'].includes(is('bridge'))) change('end what stood in during an upgrade');
    return changes;
  },
  apply: async (context) => {
    const { machine } = context;
    await installPackages(context, packages);
    const unit = await unitFile(context);
    const is = await lookAt(context);
    const isNew = (await checkFile(machine, unit)) !== null;
    if (isNew) {
      await must(machine, ['sh', '-c', 'mkdir -p "${1%/*}" && : > "$1"', 'sh', note]);
      await writeFile(machine, unit);
      await must(machine, ['systemctl', 'daemon-reload']);
    }
    if (is('UnitFileState') !== 'enabled') await must(machine, ['systemctl', 'enable', '--', layout.unit]);
    const answersItself = pidOf(is('answers')) === is('MainPID');
    if (is('ActiveState') !== 'active') await startService(context);
    else if (isNew || is('note') !== '' || is('running') !== is('current') || !answersItself) {
      await replaceService(context, { unit: unit.text });
    }
    await endBridge(context);
    await must(machine, ['rm', '-f', '--', note]);
  },
};

function pidOf(health: string): string {
  return /"pid":(\d+)/.exec(health)?.[1] ?? '';
}

/** `/opt/fnrun/0.1.0-1a2b3c4d5e6f/bin/node` */
function versionOf(program: string): string {
  return program.split('/').at(-3) ?? program;
}
