import { execFile } from 'node:child_process';
import { copyFile, cp, mkdir } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { repositoryRoot } from '../../support/cli.ts';
import { makeTempDir } from '../../support/temp-dir.ts';
import type { Vm } from './vm.ts';

const execute = promisify(execFile);

/**
 * Puts this fnrun on a stocked machine as docs/systemd.md and docs/isolation.md say by hand, and starts it: for tests of
 * what the server does there, and not of setup.
 */
export async function installFnrun(vm: Vm): Promise<void> {
  await using product = await makeTempDir();
  const { path } = product;
  for (const name of ['dist', 'package.json', 'cli/fnrun.js']) {
    await cp(join(repositoryRoot, name), join(path, name), { recursive: true });
  }
  const { stdout } = await execute('npm', ['ls', '--omit=dev', '--all', '--parseable'], { cwd: repositoryRoot });
  const packages = stdout.split('\n').map((folder) => relative(repositoryRoot, folder));
  // The Node of development is a package too.
  for (const folder of packages.filter((name) => /^node_modules\/(?!node-(?:bin|linux))/.test(name))) {
    await cp(join(repositoryRoot, folder), join(path, folder), { recursive: true });
  }
  const node = join(path, 'bin/node');
  await mkdir(dirname(node));
  await copyFile(process.execPath, node);
  await vm.copyTo(path, '/opt/fnrun');
  // What Node is linked with.
  await vm.sh('apt-get -q update && apt-get -q -y install --no-install-recommends libatomic1 libstdc++6', {
    timeoutMs: 600_000,
  });
  await vm.sh(`chmod 0755 /opt/fnrun
    useradd --system --user-group --no-create-home --home-dir /var/lib/fnrun --shell /bin/sh fnrun
    usermod --append --groups fnrun www-data
    install -d -m 0750 -o fnrun -g fnrun /var/lib/fnrun
    echo '{ "appUsers": { "first": 70000 } }' > /var/lib/fnrun/config.json
    chown root:fnrun /var/lib/fnrun/config.json && chmod 0640 /var/lib/fnrun/config.json
    /opt/fnrun/bin/node /opt/fnrun/cli/fnrun.js render systemd > /etc/systemd/system/fnrun.service
    systemctl daemon-reload && systemctl enable -q --now fnrun
    for i in $(seq 300); do [ -S /var/lib/fnrun/run/control.sock ] && exit 0; sleep 0.2; done
    journalctl -u fnrun -n 50 --no-pager; exit 1`);
}
