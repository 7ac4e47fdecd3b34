import { createReadStream } from 'node:fs';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { eventually } from '../support/deadline.ts';
import { ask, push } from './support/app.ts';
import { domain, fnrun, keyFile, setUp } from './support/provision.ts';
import { boot, type Vm } from './support/vm.ts';

// A machine that nobody has logged in to: cloud-init, as the system has it, runs what `fnrun render cloud-init` printed.

const firstBootMs = 3_000_000;

test('a machine with the user-data makes itself a server at its first boot, and setup finds nothing to change', async () => {
  await using vm = await boot();
  await vm.growDisk(20);
  await vm.sh('apt-get -q update && apt-get -q -y install --no-install-recommends cloud-init', {
    timeoutMs: 1_200_000,
  });
  await using source = await serveFile();
  await seed(vm, await userData(vm, source));
  await vm.sh('cloud-init clean --logs; sync');
  await vm.reboot();

  // The way in is shut and opened again meanwhile. What cloud-init says of its state before this file is there is not final.
  const result = await eventually(
    async () => {
      const { stdout } = await vm.run(['cat', '/run/cloud-init/result.json'], { timeoutMs: 60_000 });
      return stdout === '' ? null : (JSON.parse(stdout) as { v1: { errors: string[] } });
    },
    { deadlineMs: firstBootMs, everyMs: 10_000 },
  );
  const said = await vm.sh('tail -c 3000 /var/log/cloud-init-output.log');
  expect(result.v1.errors, said).toEqual([]);
  expect(source.taken()).toBe(1);
  expect(await vm.sh('systemctl is-active fnrun nginx mariadb fail2ban')).toBe('active\nactive\nactive\nactive\n');
  expect(await vm.sh('ufw status | head -n 1')).toBe('Status: active\n');

  const index = `export default () => Response.json('made at the first boot');`;
  expect(await push(vm, 'first', { 'functions/index.ts': index })).toMatchObject({ code: 0 });
  expect(await ask(vm, 'first', '/')).toMatchObject({ status: 200, body: '"made at the first boot"' });

  const { steps } = await setUp(vm);
  expect(steps.flatMap(({ id, changes }) => changes.map(({ what }) => `${id}: ${what}`))).toEqual([]);
});

/** Where the machine gets fnrun: this machine's loopback, which is 10.0.2.2 to a guest. */
async function serveFile() {
  let file = '';
  let taken = 0;
  const server = createServer((_, response) => {
    taken += 1;
    createReadStream(file).pipe(response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://10.0.2.2:${(server.address() as AddressInfo).port}/fnrun.tar.gz`,
    put: (path: string) => void (file = path),
    taken: () => taken,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function userData(vm: Vm, source: Awaited<ReturnType<typeof serveFile>>): Promise<string> {
  const key = `${await keyFile('admin')}.pub`;
  const args = ['render', 'cloud-init', '--json', '--key', key, '--domain', domain, '--archive', source.url];
  const { code, stdout, stderr } = await fnrun(vm, args);
  if (code !== 0) throw new Error(`render cloud-init ended with ${code}:\n${stderr}`);
  const { text, archive } = JSON.parse(stdout) as { text: string; archive: { file: string } };
  source.put(archive.file);
  return text;
}

/** As a provider's disk with the user-data; this machine's own ways to it (its keys, root, its sources) stay. */
async function seed(vm: Vm, text: string): Promise<void> {
  const config = [
    'datasource_list: [NoCloud]',
    'network: { config: disabled }',
    'ssh_deletekeys: false',
    'disable_root: false',
    'preserve_hostname: true',
    // The package of locales is not on it.
    'locale: C.UTF-8',
    'apt: { preserve_sources_list: true }',
    '',
  ];
  const put = async (path: string, content: string): Promise<void> =>
    void (await vm.run(['sh', '-c', 'mkdir -p "$(dirname "$0")" && cat > "$0"', path], { input: content }));
  await put('/etc/cloud/cloud.cfg.d/90-tests.cfg', config.join('\n'));
  await put('/var/lib/cloud/seed/nocloud/meta-data', 'instance-id: first\n');
  await put('/var/lib/cloud/seed/nocloud/user-data', text);
}
