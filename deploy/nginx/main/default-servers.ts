import { block, directive, type Item } from '../directive.ts';
import type { NginxFacts } from '../facts.ts';
import { listen } from '../listen.ts';

/** What answers on a name that no app has. */
export function defaultServers(facts: NginxFacts): Item[] {
  const plain = block('server', {
    reason: 'a name that no app has: scanners and wrong DNS get no answer at all, and no app is found by its address',
    items: [...listen(facts, { tls: false, isDefault: true }), directive('return', ['444'])],
  });
  if (facts.tls === null) return [plain];
  return [
    plain,
    block('server', {
      items: [
        ...listen(facts, { tls: true, isDefault: true }),
        directive('ssl_reject_handshake', ['on'], "the same for TLS, where any certificate would tell an app's name"),
      ],
    }),
  ];
}
