import { must } from '../../must.ts';
import type { Change, SetupContext, Step } from '../../step.ts';
import { askServer, chosenServer, type DatabaseServer, runSql } from './engine.ts';

/** Something that a server may have been set up with, and the statement that does away with it. */
interface Opening {
  change: Change;
  sql: string;
}

/** Nobody gets in but by the socket as who he is, or with a password. */
export const databaseAccessStep: Step = {
  id: 'database-access',
  title: 'the database server lets in root by the socket only, and nobody without a name',
  check: async (context) => [
    ...(await findListening(context)).map((unit) => ({
      subject: unit,
      what: `stop ${unit}: systemd listens for the database on port 3306 of every address`,
    })),
    ...(await findOpenings(context)).map(({ change }) => change),
  ],
  apply: async (context) => {
    const server = chosenServer(context);
    if (server === null) return;
    const { machine, tell } = context;
    const listening = await findListening(context);
    if (listening.length > 0) {
      const isInForce = (await machine.run(['systemctl', 'is-active', '--quiet', '--', ...listening])).code === 0;
      await must(machine, ['systemctl', 'disable', '--now', '--', ...listening]);
      if (isInForce) {
        // It has the sockets that systemd gave it for as long as it runs.
        tell(`restarting ${server.service}, which then listens on its own socket only`);
        await must(machine, ['systemctl', 'restart', '--', server.service]);
      }
    }
    for (const { sql } of await findOpenings(context)) {
      const ran = await runSql(machine, server, sql);
      await must({ name: machine.name, run: async () => ran }, [server.client, '-e', sql]);
    }
  },
};

/**
 * Units by which systemd listens in the server's place: on port 3306 of every address and on a socket without a file, whatever
 * the server's own settings say. Debian 12 enables that of MariaDB with the package; it is in force from the next boot on.
 */
async function findListening({ machine, ...context }: SetupContext): Promise<string[]> {
  const server = chosenServer(context);
  if (server?.engine !== 'mariadb') return [];
  const { stdout } = await machine.run(['sh', '-c', listening, 'sh', 'mariadb.socket', 'mariadb-extra.socket']);
  return stdout.split('\n').filter((unit) => unit !== '');
}

const listening = `for unit; do
  if systemctl is-active -q "$unit" || [ "$(systemctl is-enabled "$unit" 2>/dev/null)" = enabled ]; then echo "$unit"; fi
done`;

/** Empty on a server that is not there yet: the packages of Debian and Ubuntu make none. */
async function findOpenings({ machine, ...context }: SetupContext): Promise<Opening[]> {
  const server = chosenServer(context);
  if (server === null) return [];
  const users = await askServer(
    machine,
    server,
    'SELECT QUOTE(User), QUOTE(Host), plugin, authentication_string FROM mysql.user',
  );
  if (users === null) return [];
  const openings = users.flatMap(([user = '', host = '', plugin = '', word = '']) => {
    const account = `${user}@${host}`;
    if (user === "''" && host !== "''") return [drop(account, 'it has no name')];
    if (user !== "'root'") return [];
    if (host !== "'localhost'") return [drop(account, 'root comes by the socket')];
    return isSocketOnly({ plugin, word }) ? [] : [socketOnly(account, server)];
  });
  return [...openings, ...(await testSchema(machine, server))];
}

/** MariaDB shows the first of two ways only: its packages put a password there that nothing can be. */
function isSocketOnly({ plugin, word }: { plugin: string; word: string }): boolean {
  return plugin === 'unix_socket' || plugin === 'auth_socket' || word === 'invalid';
}

function drop(account: string, why: string): Opening {
  const change = { subject: account, what: `remove the database user ${account}: ${why}` };
  return { change, sql: `DROP USER ${account};` };
}

function socketOnly(account: string, { engine }: DatabaseServer): Opening {
  const how = engine === 'mysql' ? 'WITH auth_socket' : 'VIA unix_socket';
  return {
    change: { subject: account, what: `let ${account} in by the unix socket only, without a password` },
    sql: `ALTER USER ${account} IDENTIFIED ${how};`,
  };
}

async function testSchema(machine: SetupContext['machine'], server: DatabaseServer): Promise<Opening[]> {
  const [row] =
    (await askServer(
      machine,
      server,
      `SELECT COUNT(t.table_name) FROM information_schema.schemata s LEFT JOIN information_schema.tables t
       ON t.table_schema = s.schema_name WHERE s.schema_name = 'test' GROUP BY s.schema_name`,
    )) ?? [];
  // One with tables is somebody's.
  const empty = row?.[0] === '0';
  const [rights] =
    (await askServer(machine, server, "SELECT COUNT(*) FROM mysql.db WHERE User = '' AND Db LIKE 'test%'")) ?? [];
  return [
    ...(empty
      ? [{ change: { subject: 'test', what: 'remove the empty schema test' }, sql: 'DROP DATABASE test;' }]
      : []),
    ...(Number(rights?.[0] ?? 0) > 0
      ? [
          {
            change: { subject: 'test', what: 'take from everybody the rights to schemas that begin with test' },
            sql: "DELETE FROM mysql.db WHERE User = '' AND Db LIKE 'test%'; FLUSH PRIVILEGES;",
          },
        ]
      : []),
  ];
}
