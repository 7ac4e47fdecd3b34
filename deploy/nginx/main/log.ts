import { block, directive, type Item } from '../directive.ts';
import type { NginxFacts } from '../facts.ts';

/** Names in the log, and nginx's variables; numbers stand without quotes. */
const fields: readonly (readonly [string, string])[] = [
  ['time', '"$time_iso8601"'],
  ['request_id', '"$fnrun_request_id"'],
  ['app', '"$fnrun_app"'],
  ['client', '"$remote_addr"'],
  ['method', '"$request_method"'],
  ['host', '"$host"'],
  ['path', '"$fnrun_path"'],
  ['protocol', '"$server_protocol"'],
  ['tls', '"$ssl_protocol"'],
  ['status', '$status'],
  ['bytes_in', '$request_length'],
  ['bytes_out', '$bytes_sent'],
  ['seconds', '$request_time'],
  ['upstream_status', '"$upstream_status"'],
  ['upstream_connect_seconds', '"$upstream_connect_time"'],
  ['upstream_first_byte_seconds', '"$upstream_header_time"'],
  ['upstream_seconds', '"$upstream_response_time"'],
  ['limit_requests', '"$limit_req_status"'],
  ['limit_connections', '"$limit_conn_status"'],
  ['user_agent', '"$http_user_agent"'],
];

/** The access log: a JSON object a line. */
export function logItems({ places, tls }: NginxFacts): Item[] {
  const known = tls === null ? fields.filter(([name]) => name !== 'tls') : fields;
  const line = `{${known.map(([name, value]) => `"${name}":${value}`).join(',')}}`;
  return [
    { title: '--- Log ---' },
    block('map', {
      words: ['$host', '$fnrun_app'],
      reason: 'each app sets it to its name',
      items: [directive('default', ['-'])],
    }),
    directive(
      'log_format',
      ['fnrun', 'escape=json', line],
      'JSON that any program reads; how long the client waited, how long the app took, and the id that the log of the app has too',
    ),
    directive(
      'access_log',
      [{ text: places.accessLog }, 'fnrun', 'buffer=64k', 'flush=1s'],
      'one write for many lines, a second late at most',
    ),
  ];
}
