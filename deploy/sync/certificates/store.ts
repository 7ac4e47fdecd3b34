import { X509Certificate } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { CertificateBody } from '../../../router/control/domain-types.ts';
import { domainLimits } from '../../../runtime/contract/limits.ts';
import type { Certificate } from '../../nginx/facts.ts';
import { isHostName } from '../../nginx/site/names.ts';
import { createSelfSigned } from './self-signed.ts';

/** A certificate that lies in the store. */
export interface StoredCertificate extends Certificate {
  /** Of this very certificate. */
  id: string;
  body: CertificateBody;
  startsAtMs: number;
  expiresAtMs: number;
}

/** A certificate, with those between it and the CA's, and its key; PEM. */
export interface Pems {
  fullchain: string;
  privkey: string;
}

// No host name has an underscore.
const fallbackName = '_self-signed';

/**
 * The folder of certificates, root's own: `<dir>/<name>/{fullchain,privkey}.pem`. The folder of a name is a link, which is
 * turned in one step: whoever reads, a reload of nginx by somebody else too, never finds the key of one beside the chain of another.
 */
export class CertificateStore {
  readonly #dir: string;
  readonly #now: () => number;

  constructor({ dir, now }: { dir: string; now: () => number }) {
    this.#dir = dir;
    this.#now = now;
  }

  /** A file of the store's own, such as what was tried last; null: there is none. */
  async readFile(name: string): Promise<string | null> {
    return await readFile(join(this.#dir, name), 'utf8').catch(() => null);
  }

  async writeFile(name: string, text: string): Promise<void> {
    await this.#ready();
    await writeDurably(`${join(this.#dir, name)}.new`, text);
    await rename(`${join(this.#dir, name)}.new`, join(this.#dir, name));
  }

  /** The one that nobody signed, for names that have none; made anew in good time. */
  async fallback(): Promise<StoredCertificate> {
    const there = await this.get(fallbackName);
    if (there !== null && !isDue(there, this.#now())) return there;
    await this.put(fallbackName, await createSelfSigned({ days: domainLimits.selfSignedDays, nowMs: this.#now() }));
    const made = await this.get(fallbackName);
    if (made === null) throw new Error('The certificate that was just made cannot be read');
    return made;
  }

  /** What there is for each of `names`, if it has not expired. */
  async of(names: readonly string[]): Promise<Record<string, StoredCertificate>> {
    const found = await Promise.all(names.map(async (name) => [name, await this.get(name)] as const));
    const valid = found.flatMap(([name, one]) =>
      one !== null && one.expiresAtMs > this.#now() ? [[name, one] as const] : [],
    );
    return Object.fromEntries(valid);
  }

  /** Null when there is none, or none that can be used. */
  async get(name: string): Promise<StoredCertificate | null> {
    const paths = this.#paths(name);
    try {
      const certificate = new X509Certificate(await readFile(paths.certificate));
      const startsAtMs = certificate.validFromDate.getTime();
      const expiresAtMs = certificate.validToDate.getTime();
      if (name !== fallbackName && certificate.checkHost(name) === undefined) return null;
      const issuer = name === fallbackName ? null : issuerOf(certificate);
      const body = { issuer, expiresAt: certificate.validToDate.toISOString() };
      return { ...paths, id: certificate.fingerprint256, body, startsAtMs, expiresAtMs };
    } catch {
      return null;
    }
  }

  /** Puts a certificate in the place of the one that is there. The key must be its own. */
  async put(name: string, { fullchain, privkey }: Pems): Promise<void> {
    await this.#ready();
    const folder = join('.store', `${name}.${this.#now()}`);
    const path = join(this.#dir, folder);
    await rm(path, { recursive: true, force: true });
    await mkdir(path, { mode: 0o700 });
    await writeDurably(join(path, 'privkey.pem'), privkey);
    await writeDurably(join(path, 'fullchain.pem'), fullchain);
    const link = join(this.#dir, name);
    await rm(`${link}.new`, { force: true });
    await symlink(folder, `${link}.new`);
    await rename(`${link}.new`, link);
    const old = (await readdir(join(this.#dir, '.store'))).filter(
      (one) => one.replace(/\.\d+$/, '') === name && join('.store', one) !== folder,
    );
    for (const one of old) await rm(join(this.#dir, '.store', one), { recursive: true, force: true });
  }

  /** Removes what has expired and is for none of `names`. */
  async sweep(names: ReadonlySet<string>): Promise<string[]> {
    const removed: string[] = [];
    for (const name of await readdir(this.#dir).catch((): string[] => [])) {
      if (!isHostName(name) || names.has(name)) continue;
      const there = await this.get(name);
      if (there !== null && there.expiresAtMs > this.#now()) continue;
      await rm(join(this.#dir, name), { force: true });
      const stored = await readdir(join(this.#dir, '.store'));
      for (const one of stored.filter((each) => each.replace(/\.\d+$/, '') === name)) {
        await rm(join(this.#dir, '.store', one), { recursive: true, force: true });
      }
      removed.push(name);
    }
    return removed;
  }

  #paths(name: string): Certificate {
    return { certificate: join(this.#dir, name, 'fullchain.pem'), key: join(this.#dir, name, 'privkey.pem') };
  }

  async #ready(): Promise<void> {
    await mkdir(join(this.#dir, '.store'), { recursive: true, mode: 0o700 });
  }
}

/** Whether it is time for the next one. */
export function isDue({ startsAtMs, expiresAtMs }: StoredCertificate, nowMs: number): boolean {
  return expiresAtMs - nowMs < (expiresAtMs - startsAtMs) * domainLimits.renewalShare;
}

function issuerOf({ issuer }: X509Certificate): string {
  return (/^O=(.+)$/m.exec(issuer)?.[1] ?? /^CN=(.+)$/m.exec(issuer)?.[1] ?? issuer).trim();
}

async function writeDurably(path: string, text: string): Promise<void> {
  const file = await open(path, 'w', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}
