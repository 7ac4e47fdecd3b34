import { debianPlaces } from '../../../nginx/facts.ts';
import { homePaths } from '../../../paths.ts';
import { syncPlaces } from '../../../sync/places.ts';
import { renderUnit } from '../../../systemd/render-unit.ts';
import { planSyncUnits } from '../../../systemd/sync-units.ts';
import { FnrunError } from '../../../../runtime/contract/errors.ts';
import { setupLimits } from '../../../../runtime/contract/limits.ts';
import { checkFile, writeFile, type WantedFile } from '../../files.ts';
import type { Machine } from '../../machine.ts';
import { must } from '../../must.ts';
import type { Change, Step } from '../../step.ts';

const home = homePaths('/var/lib/fnrun');
const started = ['fnrun-sync.path', 'fnrun-sync.timer'];

/** The units of root's side, with what they may write to. */
const units: readonly WantedFile[] = planSyncUnits({
  program: ['/usr/local/bin/fnrun'],
  requestFile: home.syncRequest,
  // The minus: one that is not there yet is no reason not to start.
  writable: [syncPlaces.nginx, syncPlaces.tls, debianPlaces.acme, home.run].map((path) => `-${path}`),
}).map(({ name, sections }) => ({ path: `/etc/systemd/system/${name}`, text: renderUnit(sections) }));

/** nginx, certificates and databases follow the apps: by root, when the server asks and every hour. */
export const syncStep: Step = {
  id: 'sync',
  title: 'nginx and certificates follow the apps by themselves',
  check: async ({ machine }) => [
    ...(await Promise.all(units.map(async (unit) => await checkFile(machine, unit)))).filter((one) => one !== null),
    ...(await Promise.all(started.map(async (unit) => await checkStarted(machine, unit)))).flat(),
    ...(await checkFirstRun(machine)),
  ],
  apply: async ({ machine, tell }) => {
    for (const unit of units) await writeFile(machine, unit);
    await must(machine, ['systemctl', 'daemon-reload']);
    await must(machine, ['systemctl', 'enable', '--now', ...started]);
    tell('nginx gets its files');
    await must(machine, ['systemctl', 'start', 'fnrun-sync.service'], { timeoutMs: setupLimits.packagesMs });
    if ((await checkFirstRun(machine)).length === 0) return;
    const { stdout } = await machine.run(['journalctl', '-u', 'fnrun-sync', '-n', '5', '--no-pager', '-o', 'cat']);
    throw new FnrunError('FN_SETUP_FAILED', `nginx did not get its files on ${machine.name}: ${stdout.trim()}`, {
      hint: 'see there: journalctl -u fnrun-sync',
    });
  },
};

async function checkStarted(machine: Machine, unit: string): Promise<Change[]> {
  const [enabled, active] = [
    await machine.run(['systemctl', 'is-enabled', '--quiet', unit]),
    await machine.run(['systemctl', 'is-active', '--quiet', unit]),
  ];
  return enabled.code === 0 && active.code === 0
    ? []
    : [{ subject: unit, what: `start ${unit}, now and with the machine` }];
}

async function checkFirstRun(machine: Machine): Promise<Change[]> {
  const installed = await machine.run(['grep', '-q', 'fnrun', `${syncPlaces.nginx}/nginx.conf`]);
  const told = await machine.run(['test', '-f', home.syncOutcome]);
  return installed.code === 0 && told.code === 0
    ? []
    : [{ subject: 'fnrun-sync', what: "write nginx's files for the first time" }];
}
