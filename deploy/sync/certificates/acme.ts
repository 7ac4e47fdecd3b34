import { AsyncLocalStorage } from 'node:async_hooks';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client, Order } from 'acme-client';
import { domainLimits } from '../../../runtime/contract/limits.ts';
import type { CertificateStore, Pems } from './store.ts';

/** Why a CA gave no certificate. */
export class AcmeRefusal extends Error {
  /** The last word of `urn:ietf:params:acme:error:…`; null: the CA could not be asked at all. */
  readonly type: string | null;
  /** How long it wants to be left alone; null: it does not say. */
  readonly retryAfterMs: number | null;

  constructor(detail: string, { type, retryAfterMs = null }: { type: string | null; retryAfterMs?: number | null }) {
    super(detail);
    this.name = 'AcmeRefusal';
    this.type = type;
    this.retryAfterMs = retryAfterMs;
  }
}

/** A CA that speaks ACME. */
export interface Ca {
  /** Gets a certificate for one name, proven by HTTP-01. Rejects with AcmeRefusal. */
  issue(name: string): Promise<Pems>;
}

export interface CaOptions {
  /** `https://…` of its directory. */
  directory: string;
  email: string | null;
  /** Folder of whose `.well-known/acme-challenge/` nginx answers. */
  webroot: string;
  /** The account's key is kept in it. */
  store: CertificateStore;
}

interface Asked {
  type: string | null;
  retryAfterMs: number | null;
}

/** What the CA last refused, for each certificate that is being got. */
const asked = new AsyncLocalStorage<Asked>();

/** The CA, with the account of this server, made at first use. */
export async function openCa({ directory, email, webroot, store }: CaOptions): Promise<Ca> {
  const { default: acme } = await import('acme-client');
  hear(acme.axios);
  const file = `.account.${Buffer.from(directory).toString('base64url').slice(-60)}.json`;
  const known = parseAccount(await store.readFile(file));
  const key = known?.key ?? String(await acme.crypto.createPrivateEcdsaKey());
  const client = new acme.Client({
    directoryUrl: directory,
    accountKey: key,
    ...(known !== null && { accountUrl: known.url }),
    backoffAttempts: 40,
    backoffMin: 250,
    backoffMax: 4_000,
  });
  if (known === null || known.email !== email) {
    const contact = email === null ? [] : [`mailto:${email}`];
    await refusing(async () => {
      if (known === null)
        await client.createAccount({ termsOfServiceAgreed: true, ...(email !== null && { contact }) });
      else await client.updateAccount({ contact });
    });
    const account: Account = { key, url: client.getAccountUrl(), email };
    await store.writeFile(file, JSON.stringify(account));
  }
  return {
    issue: async (name) =>
      await refusing(async () => {
        const order = await client.createOrder({ identifiers: [{ type: 'dns', value: name }] });
        await prove(client, { order, webroot });
        const [privkey, csr] = await acme.crypto.createCsr(
          { altNames: [name] },
          await acme.crypto.createPrivateEcdsaKey(),
        );
        const fullchain = await client.getCertificate(await client.finalizeOrder(order, csr));
        return { fullchain, privkey: String(privkey) };
      }),
  };
}

/** What is kept of the account at one CA. */
interface Account {
  key: string;
  url: string;
  email: string | null;
}

function parseAccount(text: string | null): Account | null {
  try {
    const { key, url, email = null } = JSON.parse(text ?? '') as Partial<Account>;
    return typeof key === 'string' && typeof url === 'string' ? { key, url, email } : null;
  } catch {
    return null;
  }
}

/** Answers what the CA asks for below the name, and waits until it is content. */
async function prove(client: Client, { order, webroot }: { order: Order; webroot: string }): Promise<void> {
  const folder = join(webroot, '.well-known/acme-challenge');
  await mkdir(folder, { recursive: true, mode: 0o755 });
  for (const authorization of await client.getAuthorizations(order)) {
    if (authorization.status === 'valid') continue;
    const challenge = authorization.challenges.find(({ type }) => type === 'http-01');
    // A token is a file's name here.
    if (challenge === undefined || !/^[\w-]{1,200}$/.test(challenge.token)) {
      throw new AcmeRefusal('it offers no proof by HTTP', { type: 'unsupported' });
    }
    const file = join(folder, challenge.token);
    try {
      await writeFile(file, await client.getChallengeKeyAuthorization(challenge), { mode: 0o644 });
      await client.completeChallenge(challenge);
      await client.waitForValidStatus(challenge).catch(async (error: Error) => {
        throw (await refusalOf(client, order)) ?? error;
      });
    } finally {
      await rm(file, { force: true });
    }
  }
}

/** Its own words, which acme-client drops but for the last. */
async function refusalOf(client: Client, order: Order): Promise<AcmeRefusal | null> {
  const authorizations = await client.getAuthorizations(order).catch(() => []);
  for (const { error } of authorizations.flatMap(({ challenges }) => challenges)) {
    const { type, detail } = (error ?? {}) as { type?: string; detail?: string };
    if (type !== undefined) return new AcmeRefusal(detail ?? type, { type: lastWord(type) });
  }
  return null;
}

async function refusing<T>(work: () => Promise<T>): Promise<T> {
  const heard: Asked = { type: null, retryAfterMs: null };
  try {
    return await asked.run(heard, async () => await within(domainLimits.issueMs, work()));
  } catch (error) {
    if (error instanceof AcmeRefusal) throw error;
    throw new AcmeRefusal(error instanceof Error ? error.message || error.name : String(error), heard);
  }
}

async function within<T>(limitMs: number, work: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`it took longer than ${limitMs / 1000} s`)), limitMs);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

const heardBy = new WeakSet<object>();

/** Takes types and pauses from answers that refuse, which acme-client keeps to itself, and ends its own waiting: that may be hours. */
function hear(axios: typeof import('acme-client').axios): void {
  if (heardBy.has(axios)) return;
  heardBy.add(axios);
  axios.defaults.timeout = domainLimits.acmeRequestMs;
  Object.assign((axios.defaults as unknown as { acmeSettings: object }).acmeSettings, { retryMaxAttempts: 0 });
  axios.interceptors.response.use((response) => {
    const heard = asked.getStore();
    const { type } = (typeof response.data === 'object' ? (response.data ?? {}) : {}) as { type?: unknown };
    if (heard !== undefined && response.status >= 400 && typeof type === 'string') {
      heard.type = lastWord(type);
      const seconds = Number(response.headers['retry-after']);
      heard.retryAfterMs = Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : null;
    }
    return response;
  });
}

function lastWord(type: string): string {
  return type.slice(type.lastIndexOf(':') + 1);
}
