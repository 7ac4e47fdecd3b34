import { expect, test } from 'vitest';
import { gatherFacts } from '../../deploy/server/gather-facts.ts';
import { openSshMachine } from '../../deploy/server/ssh-machine.ts';
import { databaseSteps } from '../../deploy/server/steps/database/database-steps.ts';
import { runSetup } from '../../deploy/server/run-setup.ts';
import type { SetupContext, Step } from '../../deploy/server/step.ts';
import { parseTarget } from '../../deploy/server/target.ts';
import { defaultWishes } from '../../deploy/server/wishes.ts';
import { boot, type Vm } from './support/vm.ts';

async function contextOf(vm: Vm, told: string[]): Promise<SetupContext & AsyncDisposable> {
  const target = parseTarget('root@vm');
  if (target === 'local') throw new Error('it is another machine');
  const machine = await openSshMachine({ target, ssh: `ssh -F ${vm.sshConfig}` });
  return {
    machine,
    facts: await gatherFacts(machine),
    wishes: defaultWishes,
    tell: (line) => void told.push(line),
    signal: AbortSignal.timeout(1_200_000),
    [Symbol.asyncDispose]: () => machine.close(),
  };
}

/** Runs steps; resolves to what each changed. */
async function apply(steps: readonly Step[], context: SetupContext): Promise<[string, string[]][]> {
  const observer = { begin: () => undefined, end: () => undefined };
  const { steps: outcomes, error } = await runSetup(steps, { context, observer });
  expect(error).toBe(null);
  return outcomes.map(({ id, changes }) => [id, changes.map(({ what }) => what)]);
}

const sql = (vm: Vm, text: string): Promise<string> => vm.sh('mariadb -NB', { input: text });

test(
  'MariaDB is tuned, closed to all but the socket, and a second run changes nothing',
  { timeout: 1_800_000 },
  async () => {
    await using vm = await boot({ kind: 'stocked' });
    // What an older server may have been set up with.
    await vm.sh('systemctl start mariadb');
    await sql(
      vm,
      "CREATE DATABASE test; CREATE USER ''@localhost; CREATE USER root@'%' IDENTIFIED BY 'x'; ALTER USER root@localhost IDENTIFIED VIA unix_socket OR mysql_native_password USING PASSWORD('y');",
    );
    const told: string[] = [];
    await using context = await contextOf(vm, told);
    const changed = new Map(await apply(databaseSteps, context));
    expect(changed.get('database-config')).toEqual([
      'measure the disk of the database, some seconds',
      'write /etc/mysql/mariadb.conf.d/99-fnrun.cnf, and restart mariadb.service if need be',
    ]);
    expect(changed.get('database-access')).toHaveLength(5);
    expect(told.join('\n')).toMatch(/restarting mariadb.service for .*skip_networking/);
    expect((await apply(databaseSteps, context)).flatMap(([, changes]) => changes)).toEqual([]);

    const [pool, most, networking] = (
      await sql(vm, 'SELECT @@innodb_buffer_pool_size, @@max_connections, @@skip_networking')
    )
      .trim()
      .split('\t');
    expect(Number(pool) / 2 ** 20 / context.facts.memoryMb).toBeCloseTo(0.25, 1);
    expect([most, networking]).toEqual(['110', '1']);
    expect(await vm.sh('ss -Hltn "sport = :3306"')).toBe('');
    expect(await sql(vm, "SELECT CONCAT(User, '@', Host) FROM mysql.user WHERE User IN ('', 'root')")).toBe(
      'root@localhost\n',
    );
    expect(await sql(vm, "SHOW DATABASES LIKE 'test'")).toBe('');
    const nobody = await vm.run([
      'setpriv',
      '--reuid=nobody',
      '--clear-groups',
      'mariadb',
      '-u',
      'root',
      '-py',
      '-e',
      'SELECT 1',
    ]);
    expect([nobody.code, nobody.stderr]).toEqual([1, expect.stringContaining('Access denied')]);

    // What can be set in the running server is.
    const started = await vm.sh('systemctl show -P ActiveEnterTimestampMonotonic mariadb');
    await vm.sh("sed -i 's/^long_query_time.*/long_query_time = 5/' /etc/mysql/mariadb.conf.d/99-fnrun.cnf");
    await sql(vm, 'SET GLOBAL long_query_time = 5');
    await apply(databaseSteps, context);
    expect(await sql(vm, 'SELECT @@GLOBAL.long_query_time')).toBe('0.200000\n');
    expect(await vm.sh('systemctl show -P ActiveEnterTimestampMonotonic mariadb')).toBe(started);
  },
);
