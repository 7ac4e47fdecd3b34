import { invocationLimits, nginxLimits } from '../../../runtime/contract/limits.ts';
import { directive, block, type Item } from '../directive.ts';
import type { NginxFacts } from '../facts.ts';

/** What is about nginx's processes: all that stands outside of `http`. */
export function processItems({ user, places }: NginxFacts): Item[] {
  const { workerConnections, openFiles } = nginxLimits;
  return [
    directive('user', [{ text: user }], 'who serves: it must be let into the folder of the sockets and the releases'),
    directive('worker_processes', ['auto'], 'one for each core; an event loop has no use for more'),
    directive(
      'worker_rlimit_nofile',
      [String(openFiles)],
      `a proxied request has two sockets and may have a file: four times worker_connections, where the usual limit of 1024 is half of them`,
    ),
    directive(
      'worker_shutdown_timeout',
      [seconds(invocationLimits.timeoutMsMax + 30_000)],
      'after a reload the old processes finish what they have, the longest invocation included; without a limit a WebSocket that never ends keeps each of them for ever',
    ),
    directive('pid', [{ text: places.pid }]),
    directive('error_log', [{ text: places.errorLog }, 'warn'], 'what a person must look at'),
    directive('pcre_jit', ['on'], 'the maps below match each request'),
    ...(places.modules === null
      ? []
      : [directive('include', [{ text: `${places.modules}/*.conf` }], "the distribution's loaded modules")]),
    block('events', {
      items: [
        directive(
          'worker_connections',
          [String(workerConnections)],
          'of one process; the sockets to the apps count too, so it is 1024 clients at once for each core',
        ),
        {
          leftOut: 'multi_accept on',
          reason: 'off lets the processes share a burst of connections, on gives it to the one that wakes first',
        },
        { leftOut: 'use epoll', reason: 'nginx takes it by itself on Linux' },
      ],
    }),
  ];
}

/** Whole seconds, as nginx writes them. */
export function seconds(ms: number): string {
  return `${Math.ceil(ms / 1000)}s`;
}
