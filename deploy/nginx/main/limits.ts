import { nginxLimits } from '../../../runtime/contract/limits.ts';
import { directive, type Item } from '../directive.ts';
import type { NginxFacts } from '../facts.ts';

/** How much one client may ask for. */
export function limitItems({ enforceLimits }: NginxFacts): Item[] {
  const { requestsPerSecond, requestBurst, connections } = nginxLimits;
  const dryRun = enforceLimits ? 'off' : 'on';
  return [
    { title: '--- What one address may ask for ---' },
    directive(
      'limit_req_zone',
      ['$binary_remote_addr', 'zone=fnrun_requests:10m', `rate=${requestsPerSecond}r/s`],
      'some 160,000 addresses; a browser with a large page asks for some hundred things at once, then for none',
    ),
    directive('limit_req', ['zone=fnrun_requests', `burst=${requestBurst}`, 'nodelay']),
    directive('limit_req_status', ['429'], 'it is the client who shall slow down: 503 would say that the app is ill'),
    directive('limit_req_log_level', ['info'], 'the access log says it already'),
    directive(
      'limit_req_dry_run',
      [dryRun],
      enforceLimits
        ? 'chosen with --enforce-limits'
        : 'on: nobody is refused, the access log says who would be (limit_requests); --enforce-limits, once it shows no honest client',
    ),
    directive('limit_conn_zone', ['$binary_remote_addr', 'zone=fnrun_connections:10m']),
    directive(
      'limit_conn',
      ['fnrun_connections', String(connections)],
      'at once; each request of HTTP/2 counts as one',
    ),
    directive('limit_conn_status', ['429']),
    directive('limit_conn_log_level', ['info']),
    directive('limit_conn_dry_run', [dryRun]),
  ];
}
