import type { Finding } from '../../mysql/doctor/finding.ts';
import { output, type MachineCheck } from '../check.ts';

/** Whether the firewall holds, and lets in what it must. */
export const firewallCheck: MachineCheck = {
  id: 'firewall',
  async check(context) {
    const ran = await output(context, ['ufw', 'status', 'verbose']);
    const isServer = context.wishes !== null;
    if (ran === null) {
      if (!isServer) return { skipped: 'no ufw' };
      return { findings: [inactive('ufw is not installed')] };
    }
    if (ran.code !== 0)
      return isServer ? { findings: [inactive(`ufw status: ${ran.errors}`)] } : { skipped: 'ufw tells only root' };
    const status = readUfw(ran.text);
    if (!status.active) return isServer ? { findings: [inactive('ufw status: inactive')] } : { skipped: 'ufw is off' };
    const findings: Finding[] = [];
    if (status.incoming !== 'deny' && status.incoming !== 'reject') {
      findings.push(
        finding(
          'firewall-open',
          'the firewall lets in whatever no rule is about',
          `ufw status verbose: ${status.incoming} (incoming)`,
          'ufw default deny incoming',
        ),
      );
    }
    const needed = [...context.facts.sshPorts.slice(0, 1), ...(isServer ? [80, 443] : [])];
    for (const port of needed.filter((port) => !status.allowed.has(port))) {
      findings.push(
        finding(
          'firewall-shut',
          `the firewall does not let in ${port}/tcp`,
          'ufw status: no rule allows it from anywhere',
          `ufw allow ${port}/tcp`,
        ),
      );
    }
    return { findings, seen: `active, ${status.incoming} incoming, allows ${[...status.allowed].join(', ')}` };
  },
};

function inactive(measured: string): Finding {
  return finding(
    'firewall-off',
    'there is no firewall',
    measured,
    'fnrun server setup; by hand: ufw allow OpenSSH && ufw enable',
  );
}

function finding(id: string, what: string, measured: string, todo: string): Finding {
  return { id, severity: 'warning', what, measured, todo };
}

export interface UfwStatus {
  active: boolean;
  /** What happens to what comes in and has no rule. */
  incoming: string;
  /** Ports of TCP that are allowed from anywhere. */
  allowed: ReadonlySet<number>;
}

/** Reads `ufw status verbose`. */
export function readUfw(text: string): UfwStatus {
  const allowed = new Set<number>();
  // `22/tcp  ALLOW IN  Anywhere`, `80,443/tcp (Nginx Full)  ALLOW IN  Anywhere`, `22  LIMIT IN  Anywhere  # a comment`
  for (const [, ports = ''] of text.matchAll(
    /^([\d,]+)(?:\/tcp)?(?: \([^)]*\))? +(?:ALLOW|LIMIT)(?: IN)? +Anywhere *(?:#.*)?$/gm,
  )) {
    for (const port of ports.split(',')) allowed.add(Number(port));
  }
  return {
    active: /^Status: active$/m.test(text),
    incoming: /^Default: (\w+) \(incoming\)/m.exec(text)?.[1] ?? 'unknown',
    allowed,
  };
}
