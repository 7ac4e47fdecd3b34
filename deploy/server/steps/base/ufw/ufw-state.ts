import type { Machine } from '../../../machine.ts';
import { must } from '../../../must.ts';
import { parseAdded, type Rule } from './rules.ts';

/** The firewall as it is. */
export interface UfwState {
  active: boolean;
  /** Whether what no rule is for is kept out. */
  deniesIncoming: boolean;
  /** Whether its rules are for IPv6 too; null: the kernel has none. */
  ipv6: boolean | null;
  rules: readonly Rule[];
}

const ask = [
  'command -v ufw >/dev/null || exit 44',
  'ufw status | head -n 1',
  "grep -E '^(DEFAULT_INPUT_POLICY|IPV6)=' /etc/default/ufw",
  '[ -e /proc/net/if_inet6 ] || echo IPV6=none',
  'ufw show added',
].join('\n');

/** Reads it from the machine; null: ufw is not installed. */
export async function readUfw(machine: Machine): Promise<UfwState | null> {
  const argv = ['sh', '-c', ask];
  const { code, stdout } = await machine.run(argv);
  if (code === 44) return null;
  return parseUfw(code === 0 ? stdout : await must(machine, argv));
}

/** Reads `ufw status`, /etc/default/ufw and `ufw show added`, one after another. */
export function parseUfw(text: string): UfwState {
  return {
    active: /^Status: active$/m.test(text),
    deniesIncoming: /^DEFAULT_INPUT_POLICY="?(DROP|REJECT)"?$/m.test(text),
    ipv6: /^IPV6=none$/m.test(text) ? null : /^IPV6="?yes"?$/im.test(text),
    rules: parseAdded(text),
  };
}
