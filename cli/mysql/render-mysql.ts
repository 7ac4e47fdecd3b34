import { engineNames } from '../../deploy/mysql/engine.ts';
import { validateConfig } from '../../deploy/mysql/machine/validate-config.ts';
import { planConfig } from '../../deploy/mysql/plan.ts';
import { renderConfig, renderLine } from '../../deploy/mysql/render-config.ts';
import { FnrunError } from '../../runtime/contract/errors.ts';
import { homeOption, jsonOption, type CommandContext, type CommandOptions } from '../command.ts';
import { resolveHome } from '../home.ts';
import { askAppConnections } from './app-connections.ts';
import { chooseServer, gatherFacts, machineOptions } from './facts.ts';

export const renderMysqlOptions = {
  engine: { type: 'string', value: 'NAME', description: 'mariadb or mysql (default: the server installed here)' },
  'engine-version': { type: 'string', value: 'V', description: 'its version, for example 10.11 or 8.4.3' },
  ...machineOptions,
  ...homeOption,
  ...jsonOption,
} as const satisfies CommandOptions;

/** `fnrun render mysql`: the option file for this machine and this server, checked by the server itself when it is here. */
export async function renderMysql(context: CommandContext<typeof renderMysqlOptions>): Promise<number> {
  const { values, cwd, json, out, err } = context;
  const { installed, ...server } = await chooseServer(values);
  const given = await gatherFacts(server, { values, cwd, warn: (line) => err(`fnrun: ${line}`) });
  const appConnections = given.appConnections ?? (await askAppConnections(resolveHome(values.home, context)));
  const facts = { ...given, appConnections };
  const plan = planConfig(facts);
  const text = renderConfig(plan, facts);
  const verdict = installed === null ? null : await validateConfig(text, installed);
  const name = `${engineNames[server.engine]} ${server.version}`;
  if (verdict?.ok === false) {
    // What a server refuses must not be installed: then nothing is printed.
    throw new FnrunError('FN_INTERNAL', `${name} refuses the file: ${verdict.complaints.join('; ')}`, {
      hint: 'name the version with --engine-version, and report this',
    });
  }
  if (json) {
    const sections = plan.map((section) => ({
      ...section,
      settings: section.settings.map((setting) => ({ ...setting, line: renderLine(setting) })),
    }));
    out(JSON.stringify({ facts, sections, text, validatedBy: installed?.program ?? null, verdict }, null, 2));
    return 0;
  }
  out(text.trimEnd());
  if (verdict === null) err(`fnrun: not checked: ${name} is not installed here`);
  for (const complaint of verdict?.complaints ?? []) err(`fnrun: ${name} says: ${complaint}`);
  return 0;
}
