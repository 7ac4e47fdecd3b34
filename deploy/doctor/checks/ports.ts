import type { Finding } from '../../mysql/doctor/finding.ts';
import { output, type DoctorContext, type MachineCheck } from '../check.ts';

/** What listens where others can reach it, beside what a server of fnrun has. */
export const portsCheck: MachineCheck = {
  id: 'ports',
  async check(context) {
    const ran = await output(context, ['ss', '-Hltnup']);
    if (ran === null) return { skipped: 'no ss' };
    if (ran.code !== 0) throw new Error(`ss: ${ran.errors}`);
    const open = readListeners(ran.text).filter(({ address }) => !isLoopback(address));
    const seen = [...new Set(open.map(({ protocol, port }) => `${port}/${protocol}`))].join(', ');
    return {
      findings: judgePorts(open, context),
      seen: seen === '' ? 'nothing but on loopback' : `reachable: ${seen}`,
    };
  },
};

export interface Listener {
  protocol: 'tcp' | 'udp';
  address: string;
  port: number;
  /** Null: another user's. */
  program: string | null;
}

export function readListeners(text: string): Listener[] {
  return text.split('\n').flatMap((line) => {
    const [protocol, , , , local = ''] = line.split(/\s+/);
    const colon = local.lastIndexOf(':');
    if ((protocol !== 'tcp' && protocol !== 'udp') || colon < 0) return [];
    const address = local
      .slice(0, colon)
      .replace(/%.*$/, '')
      .replace(/^\[|\]$/g, '');
    return [
      { protocol, address, port: Number(local.slice(colon + 1)), program: /\(\("([^"]+)"/.exec(line)?.[1] ?? null },
    ];
  });
}

function isLoopback(address: string): boolean {
  return /^(127\.|::1$|::ffff:127\.)/.test(address.replace(/^\[|\]$/g, ''));
}

/** Servers of data: nobody means them to be reachable. */
const stores: Readonly<Record<number, string>> = {
  3306: 'MySQL or MariaDB',
  33060: 'MySQL',
  5432: 'PostgreSQL',
  6379: 'Redis',
  11211: 'memcached',
  27017: 'MongoDB',
  9200: 'Elasticsearch',
  4222: 'NATS',
};

/** A machine's own: address assignment, time. */
const ordinary = new Set(['68/udp', '546/udp', '123/udp', '323/udp']);

export function judgePorts(
  open: readonly Listener[],
  { wishes, facts }: Pick<DoctorContext, 'wishes' | 'facts'>,
): Finding[] {
  const expected = new Set([...facts.sshPorts, 80, 443].map((port) => `${port}/tcp`)).add('443/udp');
  const findings: Finding[] = [];
  const told = new Set<string>();
  for (const { protocol, address, port, program } of open) {
    const name = `${port}/${protocol}`;
    const store = protocol === 'tcp' ? stores[port] : undefined;
    if (told.has(name) || (store === undefined && (wishes === null || expected.has(name) || ordinary.has(name))))
      continue;
    told.add(name);
    const who = program ?? store ?? 'somebody';
    findings.push({
      id: store === undefined ? 'port-open' : 'database-port-open',
      severity: store === undefined ? 'note' : 'warning',
      what:
        store === undefined
          ? `${who} listens on ${name}, which no part of fnrun needs`
          : `${who} (${store}) listens on ${name} for all the network`,
      measured: `ss -ltnup: ${address}:${port}${program === null ? '' : ` by ${program}`}`,
      todo: `have it listen on 127.0.0.1 or a unix socket, or remove it; the firewall alone should not be what holds it back`,
    });
  }
  return findings;
}
