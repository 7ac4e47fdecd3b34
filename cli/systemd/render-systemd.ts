import { join } from 'node:path';
import { renderUnit } from '../../deploy/systemd/render-unit.ts';
import { planUnit } from '../../deploy/systemd/unit.ts';
import { packageRoot } from '../../runtime/entry-points.ts';
import { homePaths } from '../../deploy/paths.ts';
import { readServerConfig } from '../server-config.ts';
import { homeOption, jsonOption, type CommandContext, type CommandOptions } from '../command.ts';
import { resolveHome, serviceHome } from '../home.ts';
import { checkUser, userOption } from '../user-name.ts';

export const renderSystemdOptions = { ...homeOption, ...userOption, ...jsonOption } as const satisfies CommandOptions;

/** `fnrun render systemd`: the unit of `fnrun serve`, with the Node and the fnrun that print it. */
export async function renderSystemd({
  values,
  env,
  cwd,
  json,
  out,
}: CommandContext<typeof renderSystemdOptions>): Promise<number> {
  // A service has the service's home, unless another is named: not a folder that happens to be here.
  const isNamed = (values.home ?? env['FNRUN_HOME'] ?? '') !== '';
  const home = isNamed ? resolveHome(values.home, { env, cwd }) : serviceHome;
  const facts = {
    home,
    // With them the server needs capabilities, and without them it shall have none.
    appUsers: readServerConfig(homePaths(home).configFile).appUsers !== undefined,
    user: checkUser(values.user ?? 'fnrun'),
    program: [process.execPath, join(packageRoot(), 'cli/fnrun.js')],
  };
  const sections = planUnit(facts);
  const text = renderUnit(sections);
  out(json ? JSON.stringify({ facts, sections, text }, null, 2) : text.trimEnd());
  return 0;
}
