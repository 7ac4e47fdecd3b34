import { must } from '../../must.ts';
import type { Machine } from '../../machine.ts';
import type { SetupContext } from '../../step.ts';
import { dropIn } from './drop-in.ts';

const path = '/etc/sysctl.d/60-fnrun.conf';

interface Setting {
  name: string;
  value: number;
  reason: string;
}

// Nothing here is for speed: net.core.somaxconn is 4096 since Linux 5.4, and no measurement has moved anything else.
const settings: readonly Setting[] = [
  {
    name: 'kernel.yama.ptrace_scope',
    value: 1,
    reason:
      'a process looks into the memory of those it has started, not of all that have its user: the server holds the secrets of every app',
  },
  {
    name: 'kernel.kptr_restrict',
    value: 2,
    reason: 'addresses of the kernel are shown to nobody: they help exploits only',
  },
  { name: 'kernel.dmesg_restrict', value: 1, reason: 'the log of the kernel, which has such addresses, is for root' },
  {
    name: 'fs.protected_fifos',
    value: 2,
    reason: 'in /tmp, nobody opens for writing what another has planted there: as for links, which are so already',
  },
  { name: 'fs.protected_regular', value: 2, reason: 'the same for files' },
  {
    name: 'net.ipv4.conf.all.send_redirects',
    value: 0,
    reason: 'a host is no router: it tells nobody of other ways',
  },
  { name: 'net.ipv4.conf.default.send_redirects', value: 0, reason: 'the same for interfaces to come' },
];

/** Text of the file, with those of the settings that this kernel has. */
export function renderSysctl(values: ReadonlyMap<string, number>): string {
  const known = settings.filter(({ name }) => values.has(name));
  return [
    '# Written by fnrun server setup: a change here is undone by the next one. A file that sorts after this one wins over it.',
    ...known.flatMap(({ name, value, reason }) => ['', `# ${reason}`, `${name} = ${value}`]),
    '',
  ].join('\n');
}

async function readValues(machine: Machine): Promise<Map<string, number>> {
  // A name that the kernel does not have is told on the other stream.
  const { stdout } = await machine.run(['sysctl', '--', ...settings.map(({ name }) => name)]);
  return parseSysctl(stdout);
}

/** Reads `name = 1` lines. */
export function parseSysctl(text: string): Map<string, number> {
  const lines = text.matchAll(/^([\w.]+) = (-?\d+)$/gm);
  return new Map([...lines].map(([, name = '', value]) => [name, Number(value)]));
}

export const sysctlStep = dropIn({
  id: 'sysctl',
  title: 'the kernel tells and allows no more than is needed',
  files: async ({ machine, facts }: SetupContext) => {
    // In a container the kernel is the host's.
    const values = facts.container ? new Map<string, number>() : await readValues(machine);
    return values.size === 0 ? [] : [{ path, text: renderSysctl(values) }];
  },
  activate: async ({ machine }) => {
    await must(machine, ['sysctl', '-q', '-p', path]);
  },
});
