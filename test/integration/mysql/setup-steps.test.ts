import { expect, test } from 'vitest';
import type { MachineFacts } from '../../../deploy/server/facts.ts';
import { runSetup } from '../../../deploy/server/run-setup.ts';
import { databaseAccessStep } from '../../../deploy/server/steps/database/access-step.ts';
import { databaseConfigStep } from '../../../deploy/server/steps/database/config-step.ts';
import type { SetupContext, Step } from '../../../deploy/server/step.ts';
import { defaultWishes } from '../../../deploy/server/wishes.ts';
import { startDatabaseMachine, type DatabaseMachine } from '../../support/database-machine.ts';

const facts: MachineFacts = {
  os: 'debian',
  version: '12',
  codename: 'bookworm',
  arch: 'x64',
  cores: 2,
  memoryMb: 1000,
  swapMb: 0,
  diskFreeMb: 10_000,
  glibc: '2.36',
  systemd: true,
  container: false,
  sshPorts: [22],
  hostname: 'test',
  installed: true,
  root: true,
};
/** A server that does not come up once, and answers questions all the same. */
const failsOnce = `#!/bin/sh
for word; do case "$word" in --help|--version) exec /usr/sbin/mariadbd "$@";; esac; done
[ -e /run/broken ] && rm /run/broken && exit 1
exec /usr/sbin/mariadbd "$@"
`;
const config = '/etc/mysql/mariadb.conf.d/99-fnrun.cnf';

/** Runs the steps; resolves to what they changed, what they told, and why one failed. */
async function setUp(there: DatabaseMachine, own: Partial<MachineFacts> = {}) {
  const told: string[] = [];
  const context: SetupContext = {
    machine: there.machine,
    facts: { ...facts, ...own },
    wishes: defaultWishes,
    tell: (line) => void told.push(line),
    signal: AbortSignal.timeout(120_000),
  };
  const steps: Step[] = [databaseConfigStep, databaseAccessStep];
  const { steps: outcomes, error } = await runSetup(steps, {
    context,
    observer: { begin: () => undefined, end: () => undefined },
  });
  return { changes: outcomes.flatMap(({ changes }) => changes.map(({ what }) => what)), told, error };
}

test(
  'a database server gets the configuration of its machine and loses what is open, restarts only where it must, and keeps what it ran with',
  { timeout: 180_000 },
  async () => {
    await using there = await startDatabaseMachine();
    const sql = async (text: string): Promise<string> => await there.sh(`mariadb -NB -e "${text}"`);
    const starts = async (): Promise<number> => (await there.sh('cat /run/mysqld/starts')).length / 2;
    await there.sh('systemctl enable mariadb.service');
    // And a nameless user and a schema for everybody, which mariadb-install-db makes.
    await sql(
      "CREATE USER root@'%' IDENTIFIED BY 'x'; ALTER USER root@localhost IDENTIFIED VIA unix_socket OR mysql_native_password USING PASSWORD('y')",
    );
    const first = await setUp(there);
    expect(first.error).toBe(null);
    expect(first.changes).toEqual(
      expect.arrayContaining([
        'measure the disk of the database, some seconds',
        `write ${config}, and restart mariadb.service if need be`,
        "remove the database user ''@'localhost': it has no name",
        "remove the database user 'root'@'%': root comes by the socket",
        "let 'root'@'localhost' in by the unix socket only, without a password",
        'remove the empty schema test',
        'stop mariadb.socket: systemd listens for the database on port 3306 of every address',
      ]),
    );
    expect(first.told.at(-1)).toMatch(/^restarting mariadb.service for .*skip_networking/);
    expect(await sql('SELECT @@innodb_buffer_pool_size / 1048576, @@max_connections, @@skip_networking')).toBe(
      '240.0000\t110\t1\n',
    );
    expect(await sql("SELECT User, Host FROM mysql.user WHERE User IN ('', 'root')")).toBe('root\tlocalhost\n');
    expect(await setUp(there)).toEqual({ changes: [], told: [], error: null });
    // The kernel of another boot keeps another amount.
    expect((await setUp(there, { memoryMb: 1010 })).changes).toEqual([]);

    const before = await starts();
    const larger = await setUp(there, { memoryMb: 2000 });
    expect([larger.error, larger.told]).toEqual([null, ['set innodb_buffer_pool_size in the running server']]);
    expect([await sql('SELECT @@innodb_buffer_pool_size / 1048576'), await starts()]).toEqual(['496.0000\n', before]);

    // It does not come up with what the server's own program has taken: the one from before comes back, and runs.
    const good = await there.sh(`cat ${config}`);
    await there.sh(`sed -i 's/^skip_networking.*/skip_networking = OFF/' ${config}; systemctl restart mariadb.service`);
    await there.sh(`cat > /usr/local/bin/mariadbd <<'END'
${failsOnce}END
chmod 755 /usr/local/bin/mariadbd; touch /run/broken`);
    const broken = await setUp(there, { memoryMb: 2000 });
    expect(broken.error?.message).toContain('mariadb.service did not start with its new configuration');
    expect(await sql('SELECT @@skip_networking')).toBe('0\n');
    expect((await setUp(there, { memoryMb: 2000 })).error).toBe(null);
    expect(await there.sh(`cat ${config}`)).toBe(good);
  },
);
