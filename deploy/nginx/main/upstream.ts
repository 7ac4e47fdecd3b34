import { httpLimits } from '../../../runtime/contract/limits.ts';
import { directive, type Item } from '../directive.ts';

/** How requests go on to an app. In the main part, so that no file of an app says it again: nginx inherits all of it. */
export function upstreamItems(): Item[] {
  return [
    { title: '--- To the apps ---' },
    directive('proxy_http_version', ['1.1'], 'with 1.0, which is the default, each request costs a new connection'),
    header('Connection', '$fnrun_connection'),
    header('Upgrade', '$fnrun_upgrade'),
    header('Host', '$http_host', 'the name as the client has it, with its port'),
    header('X-Request-Id', '$fnrun_request_id'),
    header(
      'X-Forwarded-For',
      '$remote_addr',
      'What a client says about itself is overwritten or dropped. $proxy_add_x_forwarded_for would believe whoever lies first',
    ),
    header('X-Forwarded-Proto', '$scheme'),
    header('X-Forwarded-Host', '$http_host'),
    ...[
      'X-Forwarded-Port',
      'X-Forwarded-Server',
      'X-Forwarded-Prefix',
      'X-Forwarded-Ssl',
      'X-Real-IP',
      'Forwarded',
      'Proxy-Connection',
    ].map((name) => header(name, '')),
    header(
      'X-Fnrun-Connection',
      '$fnrun_connection_names',
      "nginx does not drop the headers that the client's Connection names; the app host does when it is told, and drops every other x-fnrun-*",
    ),
    directive(
      'proxy_request_buffering',
      ['on'],
      'a slow upload is no business of the app: it gets a body when it is whole',
    ),
    directive(
      'proxy_buffering',
      ['on'],
      'nor is a slow download; an app turns it off by X-Accel-Buffering: no (events)',
    ),
    directive(
      'proxy_buffer_size',
      ['16k'],
      `for the head: the app host lets ${httpLimits.responseHeadBytes / 1024}k through, the default of 4k makes a 502 of large cookies`,
    ),
    directive('proxy_buffers', ['8', '16k'], 'of a response; what does not fit waits on the disk'),
    directive('proxy_busy_buffers_size', ['32k'], 'of these, on their way to the client'),
    directive('proxy_max_temp_file_size', ['64m'], 'of one response; the default is 1 GB for each slow client'),
    directive('proxy_connect_timeout', ['5s'], 'it is a unix socket: what takes longer does not come'),
    directive('proxy_send_timeout', ['60s'], 'between two writes to the app'),
    directive(
      'proxy_next_upstream',
      ['error'],
      'a kept connection may end just when it is used: then once more, for idempotent methods only (non_idempotent is not said). Not after a timeout: the app has the request',
    ),
    directive('proxy_next_upstream_timeout', ['10s']),
    directive('proxy_intercept_errors', ['off'], "an app's own errors are its own"),
  ];
}

function header(name: string, value: string, reason?: string): Item {
  return directive('proxy_set_header', [name, value], reason);
}
