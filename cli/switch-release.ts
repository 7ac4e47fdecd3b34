import { hostLimits } from '../runtime/contract/limits.ts';
import type { DeploymentBody, SwitchBody } from '../router/control/types.ts';
import { homeOption, jsonOption, type CommandContext } from './command.ts';
import { createControlClient } from './control-client.ts';
import { resolveHome } from './home.ts';
import { formatDuration } from './table.ts';

/** Options of `rollback` and `redeploy`. */
export const switchOptions = { ...homeOption, ...jsonOption };

/** Has the server make another release live and prints which. */
export async function switchRelease(
  action: 'rollback' | 'redeploy',
  context: CommandContext<typeof switchOptions>,
): Promise<number> {
  const [app = '', release] = context.positionals;
  const body: SwitchBody = release === undefined ? {} : { release };
  const path = `/v1/apps/${encodeURIComponent(app)}/${action}`;
  const client = createControlClient(resolveHome(context.values.home, context));
  const deployment = await client.request<DeploymentBody>('POST', path, {
    body,
    deadlineMs: hostLimits.controlSwitchMs,
  });
  if (context.json) {
    context.out(JSON.stringify(deployment, null, 2));
  } else if (deployment.state === 'failed') {
    context.err(`fnrun: ${action} of ${app} failed: ${deployment.error ?? 'no reason given'}`);
  } else {
    const took = deployment.durationMs === null ? '' : ` (${formatDuration(deployment.durationMs)})`;
    context.out(`${app} now serves ${deployment.release}, commit ${deployment.commit.slice(0, 8)}${took}`);
  }
  return deployment.state === 'failed' ? 1 : 0;
}
