import { X509Certificate } from 'node:crypto';
import { doctorLimits } from '../../../runtime/contract/limits.ts';
import type { Finding } from '../../mysql/doctor/finding.ts';
import type { DoctorContext, MachineCheck } from '../check.ts';

/** What is there for one name, and what a client gets. */
interface Kept {
  name: string;
  /** PEM, the first one of a chain; empty: there is none. */
  chain: string;
  /** The public half of the key, as PEM; empty: not known. The other half stays on the machine. */
  key: string;
  /** What `openssl s_client` said; null: there is no openssl. */
  served: string | null;
}

/** How long certificates last, and whether nginx serves the ones that are there. */
export const certificatesCheck: MachineCheck = {
  id: 'certificates',
  async check(context) {
    const all = await readAll(context);
    if (all === null) return { findings: [unreadable(context)] };
    if (all.length === 0) return { skipped: 'no certificates' };
    const findings: Finding[] = [];
    const seen: string[] = [];
    for (const { name, chain, key, served } of all) {
      const certificate = parseCertificate(chain);
      if (certificate === null) {
        findings.push(broken(context, name));
        continue;
      }
      seen.push(`${name} ${daysLeft(certificate, context.now())} d`);
      findings.push(
        ...judgeCertificate(certificate, { name, key, now: context.now() }),
        ...(served === null ? [] : judgeServed(context, { name, certificate, served })),
      );
    }
    return { findings, seen: seen.join(', ') };
  },
};

// All of them at once: with many apps, a question each would take longer than the check may. Names that begin with _
// are nobody's: what nginx shows to those who ask for a name that has no certificate.
const list = `
cd -- "$1" 2>/dev/null || { [ -e "$1" ] && exit 3; exit 0; }
[ -r . ] || exit 3
for name in *; do
  case $name in '*' | _*) continue ;; esac
  printf '@@name %s\\n' "$name"
  cat -- "$name/fullchain.pem" 2>/dev/null
  command -v openssl >/dev/null || continue
  printf '@@key\\n'
  openssl pkey -in "$name/privkey.pem" -pubout 2>/dev/null || echo none
  printf '@@served\\n'
  timeout "$3" openssl s_client -connect "$2" -servername "$name" </dev/null 2>&1
done
exit 0`;

/** Null: they may not be looked at. */
async function readAll({ machine, places }: DoctorContext): Promise<Kept[] | null> {
  const seconds = String(doctorLimits.roundTripMs / 1000);
  const argv = ['sh', '-c', list, 'sh', places.certificates, addressOf(places), seconds];
  const { code, stdout } = await machine.run(argv);
  if (code !== 0) return null;
  return stdout
    .split(/^@@name /m)
    .slice(1)
    .map((text) => {
      const [head = '', rest = ''] = text.split(/^@@key\n/m);
      const [key = '', served = null] = rest.split(/^@@served\n/m);
      const end = head.indexOf('\n');
      return { name: head.slice(0, end), chain: head.slice(end + 1), key, served };
    });
}

function addressOf({ httpsPort }: DoctorContext['places']): string {
  return `127.0.0.1:${httpsPort}`;
}

/** The first one of a chain. */
function parseCertificate(pem: string): X509Certificate | null {
  try {
    return new X509Certificate(pem);
  } catch {
    return null;
  }
}

function daysLeft({ validTo }: X509Certificate, now: Date): number {
  return Math.floor((Date.parse(validTo) - now.getTime()) / 86_400_000);
}

const renew = 'fnrun server sync renews and reloads; systemctl list-timers fnrun-sync.timer; journalctl -u fnrun-sync';

/** Its age, its names, its key. */
export function judgeCertificate(
  certificate: X509Certificate,
  { name, key, now }: { name: string; key: string; now: Date },
): Finding[] {
  const findings: Finding[] = [];
  const days = daysLeft(certificate, now);
  const { certificateWarnDays, certificateCriticalDays } = doctorLimits;
  const isSelfSigned = certificate.issuer === certificate.subject;
  if (days < certificateWarnDays && !isSelfSigned) {
    const when = days < 0 ? `ended ${-days} days ago` : `ends in ${days} days`;
    findings.push({
      id: 'certificate-ends',
      severity: days < certificateCriticalDays ? 'critical' : 'warning',
      what: `the certificate of ${name} ${when}: it has not been renewed`,
      measured: `fullchain.pem, valid to ${certificate.validTo}`,
      todo: renew,
    });
  }
  if (isSelfSigned) {
    findings.push({
      id: 'certificate-self-signed',
      severity: 'warning',
      what: `${name} has a certificate of its own making, which browsers refuse`,
      measured: `fullchain.pem, issued by its own subject ${certificate.subject.replaceAll('\n', ', ')}`,
      todo: `its name must lead to this machine (dig ${name}), port 80 be reachable; then fnrun server sync`,
    });
  }
  // A wildcard's folder is named by its domain.
  if (certificate.checkHost(name) === undefined && certificate.checkHost(`any.${name}`) === undefined) {
    findings.push({
      id: 'certificate-name',
      severity: 'critical',
      what: `the certificate in the folder of ${name} is not for that name`,
      measured: `fullchain.pem names ${certificate.subjectAltName ?? certificate.subject}`,
      todo: renew,
    });
  }
  if (key !== '' && certificate.publicKey.export({ type: 'spki', format: 'pem' }) !== key) {
    findings.push({
      id: 'certificate-key',
      severity: 'critical',
      what: `certificate and key of ${name} do not belong together: nginx will not start again`,
      measured: 'fullchain.pem and privkey.pem have different public keys',
      todo: renew,
    });
  }
  return findings;
}

/** What a client gets; a server that was not reloaded goes on with what it had. */
function judgeServed(
  context: DoctorContext,
  { name, certificate, served: said }: { name: string; certificate: X509Certificate; served: string },
): Finding[] {
  const pem = /-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/.exec(said)?.[0];
  const served = pem === undefined ? null : parseCertificate(pem);
  if (served === null) {
    const why = said
      .split('\n')
      .find((line) => /err|alert|refused/i.test(line))
      ?.slice(0, 120);
    return [
      {
        id: 'https-not-served',
        severity: 'critical',
        what: `nothing answers https for ${name}`,
        measured: `openssl s_client -connect ${addressOf(context.places)}: ${why ?? 'no certificate'}`,
        todo: 'systemctl status nginx; nginx -t',
      },
    ];
  }
  if (served.fingerprint256 === certificate.fingerprint256) return [];
  return [
    {
      id: 'certificate-not-served',
      severity: daysLeft(served, context.now()) < doctorLimits.certificateCriticalDays ? 'critical' : 'warning',
      what: `nginx serves another certificate for ${name} than the one that is there`,
      measured: `openssl s_client: valid to ${served.validTo}, fullchain.pem to ${certificate.validTo}`,
      todo: 'nginx -t && systemctl reload nginx',
    },
  ];
}

function broken({ places }: DoctorContext, name: string): Finding {
  return {
    id: 'certificate-unreadable',
    severity: 'critical',
    what: `there is no certificate for ${name} where one should be`,
    measured: `${places.certificates}/${name}/fullchain.pem is missing or none`,
    todo: renew,
  };
}

function unreadable({ places }: DoctorContext): Finding {
  return {
    id: 'certificates-not-seen',
    severity: 'note',
    what: 'the certificates may not be looked at',
    measured: `${places.certificates} is not readable`,
    todo: 'run fnrun doctor as root',
  };
}
