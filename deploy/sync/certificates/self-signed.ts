import { webcrypto } from 'node:crypto';
import { hostname } from 'node:os';
import type { Pems } from './store.ts';

/** A certificate that nobody signed but its own key: for names that have no other yet, and never for longer than need be. */
export async function createSelfSigned({ days, nowMs }: { days: number; nowMs: number }): Promise<Pems> {
  const { PemConverter, SubjectAlternativeNameExtension, X509CertificateGenerator, BasicConstraintsExtension } =
    await import('@peculiar/x509');
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await X509CertificateGenerator.createSelfSigned(
    {
      name: 'CN=fnrun (no certificate yet)',
      notBefore: new Date(nowMs - 60_000),
      notAfter: new Date(nowMs + days * 86_400_000),
      signingAlgorithm: algorithm,
      keys,
      extensions: [
        new BasicConstraintsExtension(false, undefined, true),
        new SubjectAlternativeNameExtension([{ type: 'dns', value: hostname().toLowerCase() || 'localhost' }]),
      ],
    },
    webcrypto,
  );
  const key = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  return { fullchain: `${certificate.toString('pem')}\n`, privkey: `${PemConverter.encode(key, 'PRIVATE KEY')}\n` };
}
