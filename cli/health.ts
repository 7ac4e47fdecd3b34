import type { HealthBody } from '../router/control/server-types.ts';

/** What the control API says of the server itself, which starts now. */
export function healthOf(
  of: Pick<HealthBody, 'version' | 'home' | 'urls'>,
  jail: Promise<{ closed: boolean; wanted: boolean; note: string }>,
): () => HealthBody {
  const startedAtMs = Date.now();
  let builds: HealthBody['builds'] = null;
  void jail.then(({ closed: jailed, wanted, note }) => (builds = { jailed, wanted, note }));
  return () => ({ status: 'ok', ...of, pid: process.pid, uptimeMs: Date.now() - startedAtMs, builds });
}
