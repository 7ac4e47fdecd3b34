import { httpLimits } from '../../../runtime/contract/limits.ts';
import { block, directive, type Item } from '../directive.ts';

/** Variables that are made of a request, once for all apps. */
export function requestItems(): Item[] {
  return [{ title: '--- What is made of a request ---' }, ...passedOn(), ...answerItems()];
}

function passedOn(): Item[] {
  return [
    map('$http_upgrade', '$fnrun_connection', {
      reason:
        'Connection to the app: empty keeps it open for the next request; a fixed "upgrade", as is often advised, would end each',
      values: [
        ['default', ''],
        ['websocket', 'upgrade'],
      ],
    }),
    map('$http_upgrade', '$fnrun_upgrade', {
      reason: 'no other protocol is upgraded to (h2c would get around this configuration)',
      values: [
        ['default', ''],
        ['websocket', 'websocket'],
      ],
    }),
    map('$http_connection', '$fnrun_connection_names', {
      reason:
        "headers that the client's Connection takes away; what nearly all clients say takes none, and costs the app host nothing so",
      values: [
        ['default', '$http_connection'],
        ['~*^(keep-alive|close)?$', ''],
      ],
    }),
    map('$host $http_host', '$fnrun_host_is_clear', {
      reason:
        'A target in absolute form may name another host than the Host header does: nginx would follow the one, the app see the other',
      values: [
        ['default', '0'],
        [String.raw`~*^(?<fnrun_named>[^ ]+) \k<fnrun_named>\.?(:\d+)?$`, '1'],
      ],
    }),
    map('$http_x_request_id', '$fnrun_request_id', {
      reason: "the client's id when it is well-formed, else nginx's own: one id in all logs",
      values: [
        ['default', '$request_id'],
        [String.raw`~^[\w.-]{1,${httpLimits.requestIdChars}}$`, '$http_x_request_id'],
      ],
    }),
    map('$request_uri', '$fnrun_path', {
      reason: 'for the log: a query string may hold secrets',
      values: [
        ['default', '-'],
        ['~^(?<fnrun_path_only>[^?#]*)', '$fnrun_path_only'],
      ],
    }),
  ];
}

/** Variables for what nginx answers by itself: files, errors. */
function answerItems(): Item[] {
  return [
    map('$request_method $request_uri', '$fnrun_public', {
      reason:
        'Folder in which files are looked for: nginx reads plain paths as the app host does; any other (percent-encoded, with // or a name with a dot in front) goes to the host, which then serves the file or not',
      values: [
        // A folder that no release has.
        ['default', '-'],
        [String.raw`~^(GET|HEAD) (?![^?]*(//|/\.(?!well-known(/|\?|$))))/[^?%#\\]*(\?|$)`, 'public'],
      ],
    }),
    map('$uri', '$fnrun_html', {
      reason: '/docs/ is docs/index.html, /docs may be docs.html',
      values: [
        ['default', '.html'],
        ['~/$', 'index.html'],
      ],
    }),
    map('$uri', '$fnrun_index', {
      values: [
        ['default', ''],
        ['~/$', 'index.html'],
      ],
    }),
    map('$upstream_connect_time', '$fnrun_is_down', {
      reason:
        'an app that took no connection is away for a moment (503); one that took it and said nothing has failed (502)',
      values: [
        ['default', ''],
        ['~-$', '1'],
      ],
    }),
    map('$upstream_http_strict_transport_security', '$fnrun_hsts', {
      reason: 'an app that says something about HSTS by itself is not contradicted; else two years, as Mozilla has it',
      values: [
        ['default', ''],
        ['', 'max-age=63072000'],
      ],
    }),
  ];
}

function map(
  from: string,
  to: string,
  { reason, values }: { reason?: string; values: readonly (readonly [string, string])[] },
): Item {
  return block('map', {
    words: [from, to],
    ...(reason !== undefined && { reason }),
    items: values.map(([key, value]) => directive(key, [value])),
  });
}
