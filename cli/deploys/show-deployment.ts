import type { DeploymentDetailBody, FunctionSizeBody } from '../../router/control/types.ts';
import type { ControlClient } from '../control-client.ts';
import { formatAge, formatDuration, renderTable } from '../table.ts';

/** Prints one deployment: what it was, how long each step took, and the sizes of its functions. */
export async function showDeployment(
  client: ControlClient,
  path: string,
  { json, out }: { json: boolean; out: (line: string) => void },
): Promise<number> {
  const deployment = await client.request<DeploymentDetailBody>('GET', path);
  if (json) out(JSON.stringify(deployment, null, 2));
  else out(renderDeployment(deployment, { nowMs: Date.now() }));
  return 0;
}

/** A deployment for people. */
export function renderDeployment(deployment: DeploymentDetailBody, { nowMs }: { nowMs: number }): string {
  const { id, release, state, step, source, commit, subject, author, startedAt, durationMs, error, note, live } =
    deployment;
  const steps = Object.entries(deployment.stepsMs).map(([name, ms]) => `${name} ${formatDuration(ms)}`);
  const facts: [string, string | null][] = [
    ['deployment', `${id} (${source})`],
    ['state', live ? 'live' : state === 'running' ? `running: ${step}` : state],
    ['error', error],
    ['note', note],
    ['release', release],
    ['commit', `${commit.slice(0, 8)} ${subject}`.trim()],
    ['author', author === '' ? null : author],
    ['started', formatAge(startedAt, { nowMs })],
    ['took', durationMs === null ? null : formatDuration(durationMs)],
    ['steps', steps.length === 0 ? null : steps.join(', ')],
  ];
  const lines = facts.flatMap(([name, value]) => (value === null ? [] : [`${name.padEnd(12)}${value}`]));
  if (deployment.functions === null) return lines.join('\n');
  return [...lines, '', renderTable(['FUNCTION', 'SIZE', 'CHANGE'], deployment.functions.map(sizeRow))].join('\n');
}

function sizeRow({ name, bytes, bytesBefore }: FunctionSizeBody): string[] {
  if (bytes === null) return [name, '-', 'gone'];
  if (bytesBefore === null) return [name, kilobytes(bytes), 'new'];
  const change = bytes - bytesBefore;
  return [name, kilobytes(bytes), change === 0 ? '-' : `${change > 0 ? '+' : '-'}${kilobytes(Math.abs(change))}`];
}

/** `12.3 KB`: decimal kilobytes. */
function kilobytes(bytes: number): string {
  return `${(bytes / 1e3).toFixed(1)} KB`;
}
