import { FnrunError } from '../../../../runtime/contract/errors.ts';
import { checkPackages, installedPackages, installPackages } from '../../packages.ts';
import type { SetupContext, Step } from '../../step.ts';
import { checkUnit, enableUnit } from '../../units.ts';
import { chosenServer, type DatabaseServer } from './engine.ts';

/** Whose data folder is the same. */
const others: Readonly<Record<DatabaseServer['engine'], readonly string[]>> = {
  mariadb: ['mysql-server', 'mysql-server-8.0', 'mysql-community-server'],
  mysql: ['mariadb-server'],
};

/** The database server that was asked for. */
export const databaseServerStep: Step = {
  id: 'database-server',
  title: 'the database server is installed and runs',
  check: async (context) => {
    const server = chosenServer(context);
    if (server === null) return [];
    await refuseOther(context, server);
    return [
      ...(await checkPackages(context.machine, server.packages)),
      ...(await checkUnit(context.machine, server.service)),
    ];
  },
  apply: async (context) => {
    const server = chosenServer(context);
    if (server === null) return;
    await installPackages(context, server.packages);
    await enableUnit(context.machine, server.service);
  },
};

async function refuseOther({ machine }: SetupContext, { engine }: DatabaseServer): Promise<void> {
  const [other] = await installedPackages(machine, others[engine]);
  if (other === undefined) return;
  throw new FnrunError('FN_SETUP_FAILED', `${other} is installed on ${machine.name}, and ${engine} was asked for`, {
    hint: `ask for it with --database ${engine === 'mysql' ? 'mariadb' : 'mysql'}, or move its data and remove it first`,
  });
}
