import type { DomainBody, DomainsBody } from '../../router/control/domain-types.ts';
import { FnrunError } from '../../runtime/contract/errors.ts';
import { domainLimits, hostLimits } from '../../runtime/contract/limits.ts';
import { defineCommand, homeOption, jsonOption, type CommandContext } from '../command.ts';
import { createControlClient, type ControlClient } from '../control-client.ts';
import { resolveHome } from '../home.ts';
import { renderTable } from '../table.ts';

const options = {
  'no-wait': { type: 'boolean', description: 'add, remove: do not wait for nginx and the certificate' },
  ...homeOption,
  ...jsonOption,
} as const;
type Context = CommandContext<typeof options>;
type Call = { app: string; path: string; client: ControlClient; context: Context };

const actions = new Set(['list', 'add', 'remove']);

export const command = defineCommand({
  name: 'domains',
  summary: 'list, add or remove the host names of an app',
  usage: 'domains APP [list|add NAME…|remove NAME…] [--no-wait]',
  options,
  positionals: [1, Infinity],
  remote: {
    app: true,
    // An app may be called `add`: then its name is followed by what to do, too.
    leftOut: ([first = '', second = '']) => actions.has(first) && !actions.has(second),
  },
  details: [
    "  list           the app's domains, their certificates and what is wrong with them (the default)",
    '  add NAME…      gives it names; nginx follows by itself and gets a certificate for each. Once more for a name that',
    '                 it has: its certificate is tried for at once',
    '  remove NAME…   takes names away that were added',
    '',
    'Names in "domains" of fnrun.json need no adding: they come with the release. A name has one app only.',
    'Before: an A record (AAAA for IPv6) of the name must lead to this server. See docs/domains.md.',
    'Exit code 1: a name that was added does not work yet; the reason is printed, and it is tried again.',
  ].join('\n'),
  run: async (context) => {
    const [app = '', action = 'list', ...names] = context.positionals;
    const path = `/v1/apps/${encodeURIComponent(app)}/domains`;
    const call = { app, path, client: createControlClient(resolveHome(context.values.home, context)), context };
    if (action === 'list') return await list(call, names);
    if (action !== 'add' && action !== 'remove') {
      throw new FnrunError('FN_USAGE', `domains cannot ${action}`, { hint: 'see: fnrun domains --help' });
    }
    if (names.length === 0) {
      throw new FnrunError('FN_USAGE', `domains ${action} needs a name`, {
        hint: `usage: fnrun domains ${app} ${action} NAME`,
      });
    }
    const changed = await call.client.request<DomainsBody>('POST', path, { body: { [action]: names } });
    const done = context.values['no-wait'] === true ? changed : await follow(call, changed);
    return action === 'add' ? tellAdded(call, { names, done }) : tellRemoved(call, { names, done });
  },
});

/** Waits for root to have done its part; as it is then, or after the deadline. */
async function follow({ client, path, context }: Call, changed: DomainsBody): Promise<DomainsBody> {
  const { request } = changed;
  if (request === null) return changed;
  const endsAt = performance.now() + domainLimits.outcomeMs;
  const deadlineMs = domainLimits.outcomeWaitMs + hostLimits.controlRequestMs;
  for (;;) {
    const now = await client.request<DomainsBody>('GET', `${path}?request=${request}`, { deadlineMs });
    if (!now.pending || performance.now() > endsAt || context.signal.aborted) return now;
    if (!context.json) context.err('fnrun: waiting for nginx and the certificate');
  }
}

async function list({ path, client, context, app }: Call, names: readonly string[]): Promise<number> {
  if (names.length > 0) {
    throw new FnrunError('FN_USAGE', 'domains list takes no names', { hint: 'see: fnrun domains --help' });
  }
  const { domains } = await client.request<DomainsBody>('GET', path);
  const { json, out, err } = context;
  if (json) {
    out(JSON.stringify(domains, null, 2));
    return 0;
  }
  if (domains.length === 0) {
    out(`No domains. Add one with: fnrun domains ${app} add NAME`);
    return 0;
  }
  const rows = domains.map((domain) => [domain.name, domain.from, certificateWords(domain)]);
  out(renderTable(['DOMAIN', 'FROM', 'CERTIFICATE'], rows));
  for (const domain of domains) if (domain.problem !== null) err(problemLine(domain));
  return 0;
}

function certificateWords({ certificate, takenBy }: DomainBody): string {
  if (takenBy !== null) return `- (the app ${takenBy} has the name)`;
  if (certificate === null) return '-';
  const { issuer, expiresAt } = certificate;
  return issuer === null ? 'self-signed for now' : `${issuer}, until ${expiresAt.slice(0, 10)}`;
}

function problemLine({ name, problem, hint }: DomainBody): string {
  return `fnrun: ${name}: ${problem}${hint === null ? '' : `; ${hint}`}`;
}

function tellAdded({ app, context }: Call, { names, done }: { names: readonly string[]; done: DomainsBody }): number {
  const { json, out, err } = context;
  const added = names.map((name) => name.toLowerCase().replace(/\.$/, ''));
  const domains = done.domains.filter(({ name }) => added.includes(name));
  const waits = context.values['no-wait'] === true;
  const bad = waits ? [] : domains.filter(({ problem }) => problem !== null);
  if (json) {
    out(JSON.stringify({ ...done, domains }, null, 2));
    return bad.length > 0 ? 1 : 0;
  }
  for (const domain of domains) {
    if (bad.includes(domain)) continue;
    out(addedLine(app, { domain, done, waits }));
  }
  for (const domain of bad) err(problemLine(domain));
  return bad.length > 0 ? 1 : 0;
}

function addedLine(
  app: string,
  { domain, done, waits }: { domain: DomainBody; done: DomainsBody; waits: boolean },
): string {
  const { name, certificate } = domain;
  if (done.request === null) return `${name} is ${app}'s. No nginx is looked after here: see docs/nginx.md`;
  if (waits) return `${name} is ${app}'s; nginx follows. See: fnrun domains ${app}`;
  if (done.pending) return `${name} is ${app}'s; nginx has not followed yet. See: fnrun domains ${app}`;
  if (certificate === null || certificate.issuer === null)
    return `http://${name}/ is ${app}'s; HTTPS has no certificate yet`;
  return `https://${name}/ is ${app}'s: certificate by ${certificate.issuer}, until ${certificate.expiresAt.slice(0, 10)}`;
}

function tellRemoved({ app, context }: Call, { names, done }: { names: readonly string[]; done: DomainsBody }): number {
  if (context.json) context.out(JSON.stringify(done, null, 2));
  else for (const name of names) context.out(`${name} is no longer ${app}'s.`);
  return 0;
}
