import { existsSync } from 'node:fs';
import { userInfo } from 'node:os';
import { resolve } from 'node:path';
import { isLocal, parseServerUrl, type ServerAddress } from '../../deploy/mysql/doctor/address.ts';
import { redoMbPerHour } from '../../deploy/mysql/doctor/checks/redo.ts';
import { diagnose } from '../../deploy/mysql/doctor/diagnose.ts';
import { needsAction } from '../../deploy/mysql/doctor/finding.ts';
import { readServer } from '../../deploy/mysql/doctor/read-server.ts';
import { renderReport, summarize } from '../../deploy/mysql/doctor/report.ts';
import { FnrunError } from '../../runtime/contract/errors.ts';
import { homeOption, jsonOption, type CommandContext, type CommandOptions } from '../command.ts';
import { resolveHome } from '../home.ts';
import { askAppConnections } from './app-connections.ts';
import { gatherFacts, machineOptions } from './facts.ts';

export const doctorMysqlOptions = {
  url: { type: 'string', value: 'URL', description: 'mysql://user:password@host/ (default: $DATABASE_URL)' },
  socket: { type: 'string', value: 'PATH', description: 'unix socket, as the user you are (default: /run/mysqld/…)' },
  ...machineOptions,
  ...homeOption,
  ...jsonOption,
} as const satisfies CommandOptions;

type Context = CommandContext<typeof doctorMysqlOptions>;

const wellKnownSockets = ['/run/mysqld/mysqld.sock', '/var/lib/mysql/mysql.sock', '/tmp/mysql.sock'];

/** `fnrun doctor mysql`: resolves to 1 when there is something to do. */
export async function doctorMysql(context: Context): Promise<number> {
  const { values, cwd, json, out, signal } = context;
  const address = addressOf(context);
  const reading = await readServer(address, { signal });
  const local = isLocal(address);
  const dataDir = reading.variables['datadir'];
  const given = {
    ...values,
    // A disk of this machine says nothing about another's.
    ...(!local && { 'no-measure': values['no-measure'] ?? true }),
    ...(local && values['data-dir'] === undefined && dataDir !== undefined && { 'data-dir': dataDir }),
  };
  // That the disk is not measured stands in the report: on standard error, cron would send it every time.
  const gathered = await gatherFacts(reading.server, { values: given, cwd, warn: () => undefined });
  const asked = local ? await askAppConnections(resolveHome(values.home, context)) : null;
  const facts = { ...gathered, appConnections: gathered.appConnections ?? asked };
  const findings = diagnose(reading, {
    facts: { ...facts, redoMbPerHour: facts.redoMbPerHour ?? redoMbPerHour(reading) },
    machineKnown: local || values.memory !== undefined,
    now: new Date(),
  });
  const summary = summarize(reading, facts);
  if (json) out(JSON.stringify({ ...summary, findings }, null, 2));
  else for (const line of renderReport(summary, findings)) out(line);
  return needsAction(findings) ? 1 : 0;
}

function addressOf({ values, env, cwd }: Context): ServerAddress {
  // A password on the command line is there for everybody who may look at processes: not for longer than it must.
  process.title = 'fnrun doctor mysql';
  if (values.url !== undefined) return parseServerUrl(values.url, { name: '--url' });
  const { username: user } = userInfo();
  if (values.socket !== undefined) return { user, socketPath: resolve(cwd, values.socket) };
  const url = env['DATABASE_URL'];
  if (url !== undefined && url !== '') return parseServerUrl(url, { name: 'DATABASE_URL' });
  const socketPath = wellKnownSockets.find((path) => existsSync(path));
  if (socketPath !== undefined) return { user, socketPath };
  throw new FnrunError('FN_DB_UNAVAILABLE', 'No database server runs here, as far as its usual sockets tell', {
    hint: 'name one with --socket PATH or --url mysql://user:password@host/',
  });
}
