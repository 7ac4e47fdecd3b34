import { isAbout } from './rules.ts';
import type { UfwState } from './ufw-state.ts';

/** One thing to be done with the firewall. */
export interface UfwAction {
  what: string;
  argv: readonly string[];
}

const web: readonly (readonly [port: number, name: string])[] = [
  [80, 'http: ACME, and the way to https'],
  [443, 'https'],
];

/**
 * What is to be done, in the order in which it has to be done. Null: ufw is not installed yet. A rule of the operator's about
 * a port, whatever it says, is the decision about that port, and stays the only one.
 */
export function planUfw(state: UfwState | null, { sshPorts }: { sshPorts: readonly number[] }): UfwAction[] {
  const { active = false, deniesIncoming = false, ipv6 = true, rules = [] } = state ?? {};
  const decided = (port: number): boolean => rules.some((rule) => isAbout(rule, port));
  // Of one that is not active yet nobody knows whether it would let us in: it has to say so.
  const letsIn = (port: number): boolean => rules.some((rule) => rule.allows && isAbout(rule, port));
  // allow, not limit: that refuses the seventh connection in half a minute, which a push from CI may well be. fail2ban looks closer.
  const ssh = sshPorts.filter((port) => !(active ? decided(port) : letsIn(port))).map((port) => allow(port, 'ssh'));
  const http = web.filter(([port]) => !decided(port)).map(([port, name]) => allow(port, name));
  const plan: UfwAction[] = [];
  if (ipv6 === false) {
    plan.push({
      what: 'have the rules for IPv6 too',
      argv: ['sed', '-i', 's/^IPV6=.*/IPV6=yes/', '/etc/default/ufw'],
    });
  }
  plan.push(...ssh, ...http);
  if (!deniesIncoming) {
    plan.push({ what: 'deny what comes in otherwise', argv: ['ufw', 'default', 'deny', 'incoming'] });
  }
  if (!active) plan.push({ what: 'turn the firewall on', argv: ['ufw', '--force', 'enable'] });
  else if (ipv6 === false) plan.push({ what: 'load the firewall anew', argv: ['ufw', 'reload'] });
  return plan;
}

function allow(port: number, name: string): UfwAction {
  const [comment = ''] = name.split(':');
  return {
    what: `allow ${port}/tcp (${name})`,
    argv: ['ufw', 'allow', `${port}/tcp`, 'comment', `fnrun: ${comment}`],
  };
}
