import { httpLimits, nginxLimits } from '../../../runtime/contract/limits.ts';
import { directive, type Item } from '../directive.ts';
import type { NginxFacts } from '../facts.ts';
import { seconds } from './process.ts';

/** Connections of clients, and how much of a request is taken from them. */
export function clientItems(facts: NginxFacts): Item[] {
  return [
    { title: '--- Clients ---' },
    directive('server_tokens', ['off'], 'nobody needs to know the version'),
    directive('sendfile', ['on'], 'files go from the cache of the kernel to the socket, without a copy in nginx'),
    directive('tcp_nopush', ['on'], 'with sendfile: the head and the start of the file leave in one packet'),
    directive('tcp_nodelay', ['on'], 'what is complete leaves at once'),
    directive('keepalive_timeout', [seconds(15_000)], 'a page and what it loads; an idle connection costs a slot'),
    directive('keepalive_requests', ['1000'], 'memory of a connection is given back now and then'),
    directive(
      'client_header_timeout',
      [seconds(httpLimits.headersTimeoutMs)],
      'a head that takes longer is answered with 408, as the app host does',
    ),
    directive('client_body_timeout', ['30s'], 'between two reads of a body, not for the whole of it'),
    directive('send_timeout', ['60s'], 'a client that takes nothing of its response for so long is cut off'),
    directive('reset_timedout_connection', ['on'], 'whoever timed out does not keep its buffers in the kernel'),
    directive('client_header_buffer_size', ['1k'], 'most heads fit; larger ones take the buffers of the next line'),
    directive(
      'large_client_header_buffers',
      ['4', '16k'],
      '2 of 1k, as was once advised, refuse cookies and tokens above 1k; one line must fit into one buffer, and the app host takes 16k of head',
    ),
    directive('client_body_buffer_size', ['128k'], 'larger bodies go to the disk before the app sees them'),
    directive(
      'client_max_body_size',
      ['8m'],
      "for whoever says nothing; each app's file has what the largest maxBodyBytes of its functions is",
    ),
    directive('types_hash_max_size', ['2048'], 'the table of types in one look'),
    directive(
      'server_names_hash_bucket_size',
      ['128'],
      'the default of 64 keeps nginx from starting with one long host name',
    ),
    directive('server_names_hash_max_size', [String(nginxLimits.serverNames)], 'as many host names'),
    directive(
      'ignore_invalid_headers',
      ['off'],
      'headers with an odd character are for the app host to judge: dropped here, two programs had read two requests',
    ),
    directive(
      'max_ranges',
      ['1'],
      'one range of a file, as the app host has it; several at once are asked for by attackers',
    ),
    ...realAddress(facts),
  ];
}

function realAddress({ trustedProxies }: NginxFacts): Item[] {
  if (trustedProxies.length === 0) {
    return [
      {
        leftOut: 'set_real_ip_from',
        reason:
          'clients connect to this machine itself, so $remote_addr is theirs; behind a load balancer name its network with --trust-proxy',
      },
    ];
  }
  return [
    ...trustedProxies.map((network, i) =>
      directive(
        'set_real_ip_from',
        [{ text: network }],
        i === 0 ? 'these alone are believed when they say who the client is' : undefined,
      ),
    ),
    directive('real_ip_header', ['X-Forwarded-For']),
    directive('real_ip_recursive', ['on'], 'the last address that is none of theirs'),
  ];
}
