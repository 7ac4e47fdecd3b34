import { isAtLeast } from '../versions.ts';
import { directive, type Directive } from './directive.ts';
import type { NginxFacts } from './facts.ts';

/** Where a server listens. All servers of a port say the same of it. */
export function listen(
  { build, ipv6 }: Pick<NginxFacts, 'build' | 'ipv6'>,
  { tls, isDefault = false }: { tls: boolean; isDefault?: boolean },
): Directive[] {
  const port = tls ? '443' : '80';
  // `listen … http2` warns from 1.25.1 on; before it there is nothing else.
  const apart = isAtLeast(build.version, '1.25.1');
  const words = [
    ...(tls ? ['ssl'] : []),
    ...(tls && build.http2 && !apart ? ['http2'] : []),
    ...(isDefault ? ['default_server'] : []),
  ];
  return [
    directive('listen', [port, ...words]),
    ...(ipv6 ? [directive('listen', [`[::]:${port}`, ...words])] : []),
    ...(tls && build.http2 && apart ? [directive('http2', ['on'])] : []),
  ];
}
