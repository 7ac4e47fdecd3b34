import { directive, type Item } from '../directive.ts';
import type { SiteFacts } from '../facts.ts';

// Its previews count in the same zones: a client is one client.
const requestsOf = (app: string): string => `fnrun_requests_${app}`;
const connectionsOf = (app: string): string => `fnrun_connections_${app}`;

/** Where an app's own limits are counted, beside its servers. */
export function rateZones({ app, rateLimit = null }: SiteFacts): Item[] {
  if (rateLimit === null) return [];
  const { requestsPerSecond } = rateLimit;
  return [
    directive(
      'limit_req_zone',
      ['$binary_remote_addr', `zone=${requestsOf(app)}:2m`, `rate=${requestsPerSecond}r/s`],
      'rateLimit of its fnrun.json: some 30,000 addresses',
    ),
    directive('limit_conn_zone', ['$binary_remote_addr', `zone=${connectionsOf(app)}:2m`]),
  ];
}

/** In each of its servers, in the place of the machine's limits. */
export function rateItems({ app, rateLimit = null }: SiteFacts): Item[] {
  if (rateLimit === null) return [];
  const { burst, connections } = rateLimit;
  return [
    directive(
      'limit_req',
      [`zone=${requestsOf(app)}`, ...(burst === 0 ? [] : [`burst=${burst}`, 'nodelay'])],
      "the app's own limit in the place of the machine's, and enforced: it was asked for",
    ),
    directive('limit_req_dry_run', ['off']),
    directive('limit_conn', [connectionsOf(app), String(connections)]),
    directive('limit_conn_dry_run', ['off']),
  ];
}
