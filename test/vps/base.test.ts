import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../support/deadline.ts';
import { rootPassword } from './support/image.ts';
import { logIn } from './support/log-in.ts';
import { addOutside, guessPasswords, openPorts, outsideAddress } from './support/outside.ts';
import { keyFile, provisioned, setUp } from './support/provision.ts';
import { boot, type Vm } from './support/vm.ts';

// What setup has made of a bare machine, looked at from outside of it or by what the system itself says: nothing here
// asks the checks of the steps.

let vm: Vm;
beforeAll(async () => {
  vm = await provisioned();
  await addOutside(vm);
});
afterAll(() => vm?.remove());

test('a second setup finds nothing to change', async () => {
  const { steps } = await setUp(vm);
  expect(steps.flatMap(({ id, changes }) => changes.map(({ what }) => `${id}: ${what}`))).toEqual([]);
  expect(steps.length).toBeGreaterThan(15);
});

test('ssh takes the key of the administrator, and no password and no other key', async () => {
  const { ssh: port } = vm.ports;
  const [admin, stranger] = [await keyFile('admin'), await keyFile('stranger')];
  expect(await logIn({ port, user: 'deployer' }, { key: admin })).toBe(true);
  expect(await logIn({ port, user: 'deployer' }, { key: stranger })).toBe(false);
  // It was let in with it before: see machine.test.ts.
  expect(await logIn({ port, user: 'root' }, { password: rootPassword })).toBe(false);
  expect(await vm.sh('sudo -u deployer sudo -n id -u')).toBe('0\n');
  // Its account has no password that anybody could guess, nor has fnrun's.
  expect(await vm.sh("getent shadow deployer fnrun | cut -d: -f2 | grep -vc '^[*!]' || true")).toBe('0\n');
});

test('from outside only ssh, http and https are open, whatever listens', async () => {
  // A program that an app could have started: on every address, and on a port that no rule is for.
  await vm.sh(`systemd-run --quiet --unit=probe-listener perl -MIO::Socket::INET -e '
    my $s = IO::Socket::INET->new(LocalPort => 5000, Listen => 5, ReuseAddr => 1) or die; while ($s->accept) {}'`);
  await eventually(async () => (await vm.sh('ss -Hltn')).includes(':5000'), { deadlineMs: 60_000, everyMs: 500 });
  const open = await openPorts(vm);
  expect(open).toContain(22);
  expect(open.filter((port) => ![22, 80, 443].includes(port))).toEqual([]);
  // It is the filter that keeps it shut: without it the same scan finds it.
  await vm.sh('ufw disable');
  expect(await openPorts(vm)).toContain(5000);
  await vm.sh('ufw --force enable; systemctl stop probe-listener');
  expect(await openPorts(vm)).not.toContain(5000);
});

test('who keeps guessing is shut out, and nobody else', async () => {
  const said = await guessPasswords(vm, { user: 'root', times: 10 });
  expect(said.join('')).not.toMatch(/let in/);
  expect(said[0]).toMatch(/Permission denied/);
  const banned = async (): Promise<boolean> => (await vm.sh('fail2ban-client get sshd banip')).includes(outsideAddress);
  await eventually(banned, { deadlineMs: 60_000, everyMs: 2000 });
  const [after] = await guessPasswords(vm, { user: 'root', times: 1 });
  expect(after).toMatch(/refused|timed out/i);
  // And it is the kernel that says so, not fail2ban's own book.
  expect(await vm.sh('nft list ruleset')).toContain(outsideAddress);
  expect(await logIn({ port: vm.ports.ssh, user: 'deployer' }, { key: await keyFile('admin') })).toBe(true);
});

test('builds have a jail that the kernel holds', async () => {
  expect(await vm.sh('journalctl -u fnrun -o cat')).toMatch(/builds run in a jail of .*bwrap, as nobody/);
});

test('upgrades, clock, swap and logs are seen to', async () => {
  const timers = await vm.sh('systemctl list-timers --all --no-legend apt-daily.timer apt-daily-upgrade.timer');
  expect(timers.match(/apt-daily(?:-upgrade)?\.timer/g)).toHaveLength(2);
  // What would be installed, asked from unattended-upgrades itself, with the debug words that name the origins.
  const dry = await vm.sh('unattended-upgrade --dry-run --debug 2>&1');
  expect(dry).toMatch(/Allowed origins are:.*(?:Debian-Security|noble-security)/);
  expect(await vm.sh('apt-config dump APT::Periodic::Unattended-Upgrade')).toContain('"1"');
  expect(await vm.sh('timedatectl show -p NTP --value')).toBe('yes\n');
  // 2,048 MB are 1,978 to the kernel: a small machine.
  const [name = '', , size = ''] = (await vm.sh('swapon --show --noheadings --bytes --raw')).split(' ');
  expect(name).toBe('/swapfile');
  expect(Number(size)).toBeGreaterThanOrEqual(2 ** 30 - 4096);
  expect(await vm.sh("stat -c '%a %U' /swapfile")).toBe('600 root\n');
  expect(await vm.sh('journalctl --disk-usage')).toMatch(/take up/);
  expect(await vm.sh('systemd-analyze cat-config systemd/journald.conf | grep ^SystemMaxUse')).toMatch(/500M/);
  expect(await vm.sh('systemctl --failed --no-legend')).toBe('');
});

test('all of it holds after a restart, at which root is mounted without access times', async () => {
  await vm.reboot();
  await addOutside(vm);
  expect(await vm.sh('systemctl is-system-running --wait || systemctl --failed --no-legend')).toBe('running\n');
  expect(await vm.sh('findmnt -no OPTIONS /')).toMatch(/noatime/);
  expect(await vm.sh('swapon --show --noheadings')).toMatch(/swapfile/);
  expect((await openPorts(vm)).filter((port) => ![22, 80, 443].includes(port))).toEqual([]);
  expect(await logIn({ port: vm.ports.ssh, user: 'root' }, { password: rootPassword })).toBe(false);
  expect(await logIn({ port: vm.ports.ssh, user: 'deployer' }, { key: await keyFile('admin') })).toBe(true);
  // Nor does systemd listen in the database's place, behind the firewall.
  expect(await vm.sh('ss -Hltn "sport = :3306"')).toBe('');
});

test('a plan changes nothing', async () => {
  await using bare = await boot();
  await bare.sh('touch /root/mark; sleep 1');
  const { steps } = await setUp(bare, ['--plan']);
  expect(steps.filter(({ changes }) => changes.length > 0).length).toBeGreaterThan(10);
  expect(await bare.sh('find /etc /usr /opt /home /var/lib /boot -xdev -newer /root/mark -type f')).toBe('');
});
