import { X509Certificate, createPrivateKey } from 'node:crypto';
import { doctorLimits } from '../../../runtime/contract/limits.ts';
import type { Finding } from '../../mysql/doctor/finding.ts';
import { output, type DoctorContext, type MachineCheck } from '../check.ts';

/** How long certificates last, and whether nginx serves the ones that are there. */
export const certificatesCheck: MachineCheck = {
  id: 'certificates',
  async check(context) {
    const names = await namesIn(context);
    if (names === null) return { findings: [unreadable(context)] };
    if (names.length === 0) return { skipped: 'no certificates' };
    const findings: Finding[] = [];
    const seen: string[] = [];
    for (const name of names) {
      const pem = await readFileThere(context, `${context.places.certificates}/${name}/fullchain.pem`);
      const certificate = parseCertificate(pem);
      if (certificate === null) {
        findings.push(broken(context, name));
        continue;
      }
      seen.push(`${name} ${daysLeft(certificate, context.now())} d`);
      const key = await readFileThere(context, `${context.places.certificates}/${name}/privkey.pem`);
      findings.push(
        ...judgeCertificate(certificate, { name, key, now: context.now() }),
        ...(await judgeServed(context, { name, certificate })),
      );
    }
    return { findings, seen: seen.join(', ') };
  },
};

const list = '[ -d "$1" ] || exit 0; ls -1 -- "$1" 2>/dev/null || exit 3';

async function namesIn({ machine, places }: DoctorContext): Promise<string[] | null> {
  const { code, stdout } = await machine.run(['sh', '-c', list, 'sh', places.certificates]);
  return code === 0 ? stdout.split('\n').filter((name) => name !== '') : null;
}

async function readFileThere(context: DoctorContext, path: string): Promise<string> {
  return (await output(context, ['cat', '--', path]))?.text ?? '';
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
  if (key !== '' && !fits(certificate, key)) {
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

function fits(certificate: X509Certificate, key: string): boolean {
  try {
    return certificate.checkPrivateKey(createPrivateKey(key));
  } catch {
    return false;
  }
}

/** What a client gets; a server that was not reloaded goes on with what it had. */
async function judgeServed(
  context: DoctorContext,
  { name, certificate }: { name: string; certificate: X509Certificate },
): Promise<Finding[]> {
  const address = `127.0.0.1:${context.places.httpsPort}`;
  const argv = ['openssl', 's_client', '-connect', address, '-servername', name];
  const ran = await output(context, argv, { input: '', timeoutMs: doctorLimits.roundTripMs });
  if (ran === null) return [];
  const pem = /-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/.exec(ran.text)?.[0];
  const served = pem === undefined ? null : parseCertificate(pem);
  if (served === null) {
    return [
      {
        id: 'https-not-served',
        severity: 'critical',
        what: `nothing answers https for ${name}`,
        measured: `openssl s_client -connect ${address}: ${ran.errors.split('\n')[0]?.slice(0, 120) ?? 'no certificate'}`,
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
