import { networkInterfaces } from 'node:os';
import type { SyncProblem } from '../../../router/control/domain-types.ts';
import { domainLimits } from '../../../runtime/contract/limits.ts';
import { nameSites } from '../names.ts';
import type { SlowContext, SlowPart, SyncContext } from '../part.ts';
import { AcmeRefusal, openCa, type Ca } from './acme.ts';
import { explainLookup, explainQuota, explainRefusal } from './explain.ts';
import { Installs } from './installs.ts';
import { PreviewQuota } from './preview-quota.ts';
import { isDue, type CertificateStore } from './store.ts';
import { failedTry, mayTry, parseTries, type Tries, type TriesByName } from './tries.ts';

/** What the part is made of. */
export interface CertificatesPartOptions {
  store: CertificateStore;
  /** Folder of whose `.well-known/acme-challenge/` nginx answers. */
  webroot: string;
  /** Whether DNS has an address for a name. */
  hasAddress: (name: string) => Promise<boolean>;
  /** Certificates that previews get in a week. @default domainLimits.previewCertificates */
  previewsPerWeek?: number;
}

interface Wanted {
  app: string;
  name: string;
  askedAtMs: number | null;
  isPreview: boolean;
}

const triesFile = '.tries.json';
const previewsFile = '.previews.json';

/**
 * A certificate by ACME for every name of every app, got when there is none and renewed in time. A name that gets none
 * keeps no other from its own, has the one that nobody signed, and is tried again after a pause that grows.
 */
export function createCertificatesPart(options: CertificatesPartOptions): SlowPart {
  const { store } = options;
  return {
    id: 'certificates',
    async run(context) {
      const names = wantedNames(context);
      const tries = parseTries(await store.readFile(triesFile));
      const { acmeDirectory } = context.server;
      const { previewsPerWeek: perWeek = domainLimits.previewCertificates } = options;
      const quota = new PreviewQuota(await store.readFile(previewsFile), { perWeek, now: context.now });
      const got = acmeDirectory === null ? [] : await issueDue(options, { context, names, tries, quota });
      await store.writeFile(previewsFile, quota.toText());
      const known = new Set(names.map(({ name }) => name));
      const kept = Object.entries(tries).filter(([name]) => known.has(name));
      await store.writeFile(triesFile, `${JSON.stringify(Object.fromEntries(kept), null, 2)}\n`);
      const changed = got.map((name) => `got a certificate for ${name}`);
      // nginx serves without them by now.
      changed.push(
        ...(await context.between(() => store.sweep(known))).map(
          (name) => `removed the certificate of ${name}, which has expired`,
        ),
      );
      return { changed, problems: problemsOf(names, tries), certificates: await shown(store, names) };
    },
  };
}

/** Names that were just asked for first: somebody waits. Previews last. */
function wantedNames(context: SyncContext): Wanted[] {
  const asked = new Map(
    context.sites.flatMap(({ domains }) => domains.map((one) => [one.name, one.askedAtMs] as const)),
  );
  const sites = nameSites(context);
  const own = sites.flatMap(({ app, names }) =>
    names.map((name) => ({ app, name, askedAtMs: asked.get(name) ?? null, isPreview: false })),
  );
  const previews = sites.flatMap((site) =>
    site.previews.map(({ host: name }) => ({ app: site.app, name, askedAtMs: null, isPreview: true })),
  );
  return [...own.toSorted((a, b) => (b.askedAtMs ?? 0) - (a.askedAtMs ?? 0)), ...previews];
}

interface Due {
  context: SlowContext;
  names: readonly Wanted[];
  tries: TriesByName;
  quota: PreviewQuota;
}

/** Resolves to the names that have a new one, with which nginx serves then; what failed is in `tries`. */
async function issueDue(options: CertificatesPartOptions, { context, names, tries, quota }: Due): Promise<string[]> {
  const { store } = options;
  const due: (Wanted & { counts: boolean })[] = [];
  for (const one of names) {
    const there = await store.get(one.name);
    if (there !== null && !isDue(there, context.now())) delete tries[one.name];
    else if (mayTry(tries[one.name], { nowMs: context.now(), askedAtMs: one.askedAtMs })) {
      // A renewal is none of those that the CA counts.
      due.push({ ...one, counts: one.isPreview && there === null });
    }
  }
  const got: string[] = [];
  const endsAt = performance.now() + domainLimits.issueAllMs;
  const installs = new Installs(context);
  let ca: Promise<Ca> | null = null;
  const openOnce = (): Promise<Ca> => {
    ca ??= openCa({
      directory: context.server.acmeDirectory!,
      email: context.server.acmeEmail,
      webroot: options.webroot,
      store,
    });
    return ca;
  };
  for (const { name, counts } of due.slice(0, domainLimits.issuedPerRun)) {
    if (context.signal.aborted || performance.now() > endsAt) break;
    if (counts && quota.nextAtMs !== null) {
      const words = explainQuota(name, quota.nextAtMs);
      tries[name] = failedTry(tries[name], { nowMs: context.now(), retryAfterMs: null, counts: false, ...words });
      continue;
    }
    const failed = await issueOne(options, { context, name, openOnce, before: tries[name] });
    if (failed === null) {
      got.push(name);
      installs.want();
    }
    if (failed === null && counts) quota.issued();
    if (failed === null) delete tries[name];
    else tries[name] = failed;
  }
  await installs.end();
  return got;
}

/** Null: there is one now. */
async function issueOne(
  { store, hasAddress }: CertificatesPartOptions,
  options: { context: SlowContext; name: string; openOnce: () => Promise<Ca>; before: Tries | undefined },
): Promise<Tries | null> {
  const { context, name, openOnce, before } = options;
  const addresses = ownAddresses();
  if (!(await hasAddress(name))) {
    const words = explainLookup(name, { addresses });
    return failedTry(before, { nowMs: context.now(), retryAfterMs: null, counts: false, ...words });
  }
  try {
    const ca = await openOnce();
    const issued = await ca.issue(name);
    // Not between nginx's looks at the chain and at its key.
    await context.between(() => store.put(name, issued));
    return null;
  } catch (error) {
    const limited = error instanceof AcmeRefusal && error.type === 'rateLimited';
    const retryAfterMs = limited ? (error.retryAfterMs ?? domainLimits.rateLimitedMs) : null;
    const words = explainRefusal(name, error, { addresses });
    return failedTry(before, { nowMs: context.now(), retryAfterMs, counts: true, ...words });
  }
}

function problemsOf(names: readonly Wanted[], tries: TriesByName): SyncProblem[] {
  return names.flatMap(({ app, name }) => {
    const failed = tries[name];
    return failed === undefined ? [] : [{ app, subject: name, message: failed.message, hint: failed.hint }];
  });
}

async function shown(store: CertificateStore, names: readonly Wanted[]) {
  const there = await store.of(names.map(({ name }) => name));
  const { body: fallback } = await store.fallback();
  return Object.fromEntries(names.map(({ name }) => [name, there[name]?.body ?? fallback]));
}

/** Those that others may reach. */
function ownAddresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((one) => one ?? []);
  return all.filter(({ internal, address }) => !internal && !address.startsWith('fe80:')).map(({ address }) => address);
}
