import { debianPlaces } from '../../../nginx/facts.ts';
import { syncPlaces } from '../../../sync/places.ts';
import { must } from '../../must.ts';
import { checkUnit } from '../../units.ts';
import { checkPackages, installPackages } from '../../packages.ts';
import type { Machine } from '../../machine.ts';
import type { Change, Step } from '../../step.ts';
import { applyNginxUnit, checkNginxUnit } from './nginx-unit.ts';

/** Folders that root's side writes to, with their modes. */
const folders: readonly { path: string; mode: string }[] = [
  { path: `${syncPlaces.nginx}/fnrun`, mode: '755' },
  { path: syncPlaces.tls, mode: '700' },
  { path: debianPlaces.acme, mode: '755' },
];
const defaultSite = '/etc/nginx/sites-enabled/default';

/** nginx is there and can reach the apps. Its files are written by `fnrun server sync`, which has nginx judge them first. */
export const nginxStep: Step = {
  id: 'nginx',
  title: 'nginx is installed and reaches the apps',
  check: async ({ machine }) => [
    ...(await checkPackages(machine, ['nginx'])),
    ...(await checkDefaultSite(machine)),
    ...(await checkGroup(machine)),
    ...(await Promise.all(folders.map(async (folder) => await checkFolder(machine, folder)))).flat(),
    ...(await checkNginxUnit(machine)),
    ...(await checkUnit(machine, 'nginx.service')),
  ],
  apply: async (context) => {
    const { machine } = context;
    // Before it is installed, and so started for the first time.
    await applyNginxUnit(machine);
    await installPackages(context, ['nginx']);
    await must(machine, ['rm', '-f', '--', defaultSite]);
    await must(machine, ['usermod', '-aG', 'fnrun', 'www-data']);
    for (const { path, mode } of folders)
      await must(machine, ['install', '-d', '-o', 'root', '-g', 'root', '-m', mode, path]);
    await must(machine, ['systemctl', 'enable', '--now', 'nginx']);
  },
};

async function checkDefaultSite(machine: Machine): Promise<Change[]> {
  const { code } = await machine.run(['test', '-e', defaultSite]);
  return code === 0 ? [{ subject: defaultSite, what: "remove Debian's default site" }] : [];
}

async function checkGroup(machine: Machine): Promise<Change[]> {
  const { stdout } = await machine.run(['id', '-nG', 'www-data']);
  if (stdout.trim().split(' ').includes('fnrun')) return [];
  return [{ subject: 'www-data', what: "put nginx's user www-data into the group fnrun" }];
}

async function checkFolder(machine: Machine, { path, mode }: { path: string; mode: string }): Promise<Change[]> {
  const { stdout } = await machine.run(['stat', '-c', '%a %U:%G %F', '--', path]);
  if (stdout.trim() === `${mode} root:root directory`) return [];
  return [{ subject: path, what: `make the folder ${path} (mode ${mode})` }];
}
