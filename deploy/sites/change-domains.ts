import { isIP } from 'node:net';
import type { DomainBody, DomainsBody, SyncOutcome } from '../../router/control/domain-types.ts';
import { FnrunError } from '../../runtime/contract/errors.ts';
import { domainLimits } from '../../runtime/contract/limits.ts';
import type { DeployContext, ManagedApp } from '../context.ts';
import { checkHostName } from '../nginx/site/names.ts';

/** Names to give to an app and to take from it. */
export interface DomainChange {
  add: readonly string[];
  remove: readonly string[];
}

/**
 * Changes an app's host names, at once for the gateway, and asks root to have nginx follow; the answer does not wait for
 * that. Rejects with FN_USAGE or FN_BAD_DOMAIN for a name that cannot be one, FN_DOMAIN_TAKEN; nothing has changed then.
 */
export async function changeDomains(
  context: DeployContext,
  app: ManagedApp,
  change: DomainChange,
): Promise<DomainsBody> {
  if (app.previewOf !== null) {
    throw new FnrunError('FN_BAD_DOMAIN', `${app.name} is a preview: it has the host name of its branch only`, {
      hint: `give the domain to ${app.previewOf}`,
    });
  }
  const add = [...new Set(change.add.map(checkDomain))];
  const remove = [...new Set(change.remove.map((name) => name.toLowerCase()))];
  for (const name of add) checkFree(context, app, name);
  for (const name of remove) checkOwn(app, name);
  const kept = app.domains.filter(({ name }) => !remove.includes(name) && !add.includes(name));
  if (kept.length + add.length > domainLimits.perApp) {
    throw new FnrunError('FN_BAD_DOMAIN', `${app.name} would have more than ${domainLimits.perApp} domains`);
  }
  await context.store.changeDomains(app.name, { add, remove, atMs: context.now() });
  app.domains = await context.store.listDomains(app.name);
  context.sites().changed();
  return { ...listDomains(context, app, null), request: await context.root.ask(), pending: true };
}

/** The app's domains, with what root last knew of each. Waits until it has got to `request`, if one is named. */
export async function readDomains(
  context: DeployContext,
  app: ManagedApp,
  { request }: { request: number | null },
): Promise<DomainsBody> {
  const deadlineMs = domainLimits.outcomeWaitMs;
  const pending = request !== null && (await context.root.outcomeOf(request, { deadlineMs })) === null;
  return { ...listDomains(context, app, await context.root.outcome()), request, pending };
}

function listDomains(
  context: DeployContext,
  app: ManagedApp,
  outcome: SyncOutcome | null,
): Pick<DomainsBody, 'app' | 'domains'> {
  const site = context
    .sites()
    .list()
    .find((one) => one.app === app.name);
  const names = [...(site?.domains ?? []).map(({ name }) => name), ...(site?.taken ?? [])];
  const domains = (site?.domains ?? []).map(({ name, askedAtMs }): DomainBody => {
    const from = askedAtMs === null ? ('fnrun.json' as const) : ('server' as const);
    return { name, from, takenBy: null, ...knownOf(outcome, { app: app.name, name, names }) };
  });
  const taken = (site?.taken ?? []).map((name): DomainBody => {
    const hint = 'take it out of fnrun.json, or from that app';
    const takenBy = context.sites().ownerOf(name);
    return { name, from: 'fnrun.json', takenBy, certificate: null, problem: `the app ${takenBy} has it`, hint };
  });
  return { app: app.name, domains: [...domains, ...taken] };
}

/** What is wrong with the name itself, else with the app as a whole. */
function knownOf(
  outcome: SyncOutcome | null,
  { app, name, names }: { app: string; name: string; names: readonly string[] },
): Pick<DomainBody, 'certificate' | 'problem' | 'hint'> {
  const parts = outcome?.parts ?? [];
  const own = parts
    .flatMap(({ id, problems }) => problems.map((one) => ({ ...one, id })))
    .filter((one) => one.app === app);
  const problem =
    own.find(({ subject }) => subject === name) ??
    own.find(({ id, subject }) => id !== 'certificates' && !names.includes(subject)) ??
    null;
  const certificate = parts.map((part) => part.certificates?.[name]).find((one) => one !== undefined) ?? null;
  return { certificate, problem: problem?.message ?? null, hint: problem?.hint ?? null };
}

/** `name` in lower case. */
function checkDomain(name: string): string {
  const lower = checkHostName(name.toLowerCase().replace(/\.$/, ''));
  if (lower.includes('.') && isIP(lower) === 0) return lower;
  const what = lower.includes('.') ? 'is an address' : 'has no dot';
  throw new FnrunError('FN_BAD_DOMAIN', `${lower} ${what}: no certificate can be got for it`, {
    hint: 'name a whole domain, for example shop.example.com',
  });
}

/** Names of fnrun.json count too. The store sees to those that were added, in one step with the change. */
function checkFree(context: DeployContext, app: ManagedApp, name: string): void {
  const owner = context.sites().ownerOf(name);
  if (owner === null || owner === app.name) return;
  const added = context.apps().some((one) => one.name === owner && one.domains.some((domain) => domain.name === name));
  throw new FnrunError('FN_DOMAIN_TAKEN', `${name} belongs to the app ${owner}`, {
    hint: added
      ? `take it from there first: fnrun domains ${owner} remove ${name}`
      : `it is in the fnrun.json of ${owner}: take it out there and push`,
  });
}

function checkOwn(app: ManagedApp, name: string): void {
  if (app.domains.some((domain) => domain.name === name)) return;
  const isAsked = app.live?.domains.includes(name) === true;
  throw new FnrunError('FN_BAD_DOMAIN', `${name} was not added to ${app.name}`, {
    hint: isAsked ? 'it is in its fnrun.json: take it out there and push' : `see: fnrun domains ${app.name}`,
  });
}
