import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeTempDir } from '../support/temp-dir.ts';
import { rootPassword, system } from './support/image.ts';
import { logIn } from './support/log-in.ts';
import { boot, openVm } from './support/vm.ts';

// The machine itself: what every other test of this folder stands on.

test('a bare machine boots, is reached, reset and kept; its image stays as it is', async () => {
  await using temp = await makeTempDir('fnrun-vps-');
  await using vm = await boot();
  expect(await vm.sh('. /etc/os-release; echo $ID $VERSION_ID; systemctl is-system-running --wait || true')).toBe(
    `${system.release}\nrunning\n`,
  );
  expect(await vm.sh('cat /sys/fs/cgroup/cgroup.controllers')).toMatch(/cpu .*memory .*pids/);
  // Nothing that setup is to bring, and what it is to close stands open.
  expect((await vm.run(['sh', '-c', 'command -v nginx mariadbd git fail2ban-server ufw'])).stdout).toBe('');
  expect(await vm.sh('sshd -T | grep -E "^(permitrootlogin|passwordauthentication)"')).toBe(
    'permitrootlogin yes\npasswordauthentication yes\n',
  );
  const root = { port: vm.ports.ssh, user: 'root' };
  expect(await logIn(root, { password: rootPassword })).toBe(true);
  expect(await logIn(root, { password: 'wrong' })).toBe(false);

  // Arguments come through as they are.
  const odd = ['a b', "it's", '$HOME', '', '*', 'x;y'];
  expect((await vm.run(['printf', '%s\\n', ...odd])).stdout).toBe(`${odd.join('\n')}\n`);
  expect(await vm.run(['sh', '-c', 'cat; exit 3'], { input: 'input' })).toMatchObject({ code: 3, stdout: 'input' });

  await mkdir(join(temp.path, 'tree/inner'), { recursive: true });
  await writeFile(join(temp.path, 'tree/inner/file'), 'copied');
  await vm.copyTo(join(temp.path, 'tree'), '/srv/tree');
  expect(await vm.sh('cat /srv/tree/inner/file')).toBe('copied');

  // What is synced survives the reset button; what lives in memory does not.
  await vm.sh('echo kept > /srv/kept; sync; echo gone > /run/gone');
  await vm.reset();
  expect(await vm.sh('cat /srv/kept; test ! -e /run/gone')).toBe('kept\n');

  await vm.sh('echo running > /run/state');
  const kept = join(temp.path, 'kept.qcow2');
  await vm.snapshot(kept);
  await vm.remove();
  expect(existsSync(vm.folder)).toBe(false);

  // It goes on where it was kept, with the right time, and as often as one likes.
  await using second = await boot({ from: kept });
  expect(await second.sh('cat /srv/kept /run/state')).toBe('kept\nrunning\n');
  expect(Math.abs(Number(await second.sh('date +%s')) - Date.now() / 1000)).toBeLessThan(60);
  await second.reboot();
  const again = await openVm(second.folder);
  expect(await again.sh('cat /srv/kept; test ! -e /run/state')).toBe('kept\n');

  // apt works, against the source of the machine that runs the tests.
  await second.sh('apt-get -q update && apt-get -q -y install --no-install-recommends hello');
  expect(await second.sh('hello')).toBe('Hello, world!\n');
});

test('another port of the guest can be reached from here', async () => {
  await using vm = await boot({ kind: 'stocked' });
  expect(await vm.sh('nginx -v 2>&1; mariadbd --version')).toMatch(/nginx.*\n.*MariaDB/);
  await vm.sh(
    'echo "server { listen 5000; return 200 hello; }" > /etc/nginx/conf.d/probe.conf; systemctl reload-or-restart nginx',
  );
  const port = await vm.forward(5000);
  expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('hello');
});
