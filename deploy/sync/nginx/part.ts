import { createHash } from 'node:crypto';
import type { SyncProblem } from '../../../router/control/domain-types.ts';
import type { NginxFile } from '../../nginx/directive.ts';
import type { Certificate, NginxFacts, SiteFacts } from '../../nginx/facts.ts';
import { installFiles, type InstalledFile } from '../../nginx/machine/install-files.ts';
import type { Judge } from '../../nginx/machine/validate-nginx.ts';
import { planMain } from '../../nginx/plan.ts';
import { renderFile } from '../../nginx/render-config.ts';
import { planSite } from '../../nginx/site/site.ts';
import { nameSites, type NamedSite } from '../names.ts';
import type { SyncContext, SyncPart } from '../part.ts';

/** The certificates that there are. */
export interface Certificates {
  /** The one that nobody signed; made when there is none. */
  fallback(): Promise<Certificate>;
  /** Of each name that has one, and what it is: another one has another text. */
  of(names: readonly string[]): Promise<Record<string, Certificate & { id: string }>>;
}

/** What the part is made of. */
export interface NginxPartOptions {
  /** Without `tls`, which is from `certificates`. */
  facts: Omit<NginxFacts, 'tls'>;
  judge: Judge;
  /** Folder of nginx.conf. */
  dir: string;
  home: { run: string; apps: string };
  certificates: Certificates;
  /** Has the running nginx read its files; resolves when it serves with them. */
  reload: () => Promise<void>;
  /** What nginx serves with: a text that is kept between runs. */
  loaded: { read(): Promise<string | null>; write(text: string): Promise<void> };
  /** A file as it is written. @default as it was planned */
  place?: (file: NginxFile) => NginxFile;
}

/** nginx's files as the apps are now, and a reload when they, or the certificates, are others than those it serves with. */
export function createNginxPart(options: NginxPartOptions): SyncPart {
  const { judge, dir, reload, loaded, place } = options;
  return {
    id: 'nginx',
    async run(context) {
      const { facts, planned, ids, problems, unsigned } = await plan(options, context);
      const [main, sites] = [planMain(facts), planned];
      const keep = context.untouched.map((app) => `fnrun/${app}.conf`);
      const installed = await installFiles({ dir, main, sites, judge, keep, ...(place !== undefined && { place }) });
      const changed = installed.flatMap((file) => (lineOf[file.outcome] === null ? [] : [tell(file)]));
      problems.push(...installed.filter(({ outcome }) => outcome === 'refused').map(problemOf));
      const serving = createHash('sha256')
        .update(JSON.stringify([[main, ...sites].map(renderFile), ids]))
        .digest('hex');
      if (changed.length > 0 || serving !== (await loaded.read())) {
        await reload();
        await loaded.write(serving);
        changed.push('nginx serves with it');
      }
      return { changed, problems, unsigned };
    },
  };
}

interface Plan {
  facts: NginxFacts;
  planned: NginxFile[];
  /** Of the certificates, each with its name. */
  ids: string[];
  problems: SyncProblem[];
  unsigned: Record<string, string[]>;
}

/** One app that cannot be written down keeps no other from it. */
async function plan({ facts, home, certificates }: NginxPartOptions, context: SyncContext): Promise<Plan> {
  const named = nameSites(context);
  const all = { ...facts, tls: await certificates.fallback() };
  const own = await certificates.of(
    named.flatMap(({ names, previews }) => [...names, ...previews.map((one) => one.host)]),
  );
  const problems = named.flatMap(({ app, taken }) => taken.map((name) => takenProblem(app, name)));
  const planned: NginxFile[] = [];
  for (const [i, site] of named.entries()) {
    try {
      planned.push(
        planSite(all, siteFacts(site, { body: context.sites[i]!, home, own, domain: context.server.domain })),
      );
    } catch (error) {
      problems.push({ app: site.app, subject: site.app, message: (error as Error).message, hint: null });
    }
  }
  const ids = Object.entries(own).map(([name, { id }]) => `${name} ${id}`);
  return {
    facts: all,
    planned,
    ids: ids.toSorted(),
    problems,
    unsigned: context.server.acmeDirectory === null ? {} : unsignedOf(named, own),
  };
}

function unsignedOf(named: readonly NamedSite[], own: Record<string, Certificate>): Record<string, string[]> {
  const all = named.flatMap(({ app, names, previews }): [string, string[]][] => [
    [app, names],
    ...previews.map(({ name, host }): [string, string[]] => [name, [host]]),
  ]);
  const without = all.map(([app, names]) => [app, names.filter((name) => !Object.hasOwn(own, name))] as const);
  return Object.fromEntries(without.filter(([, names]) => names.length > 0));
}

interface Known {
  body: SyncContext['sites'][number];
  home: NginxPartOptions['home'];
  own: Record<string, Certificate>;
  domain: string | null;
}

function siteFacts({ app, names, taken, previews }: NamedSite, { body, home, own, domain }: Known): SiteFacts {
  const { hasPublic, maxBodyBytes, timeoutMs, rateLimit } = body;
  return {
    app,
    names,
    taken,
    previewDomains: domain === null ? [] : [domain],
    run: home.run,
    apps: home.apps,
    hasPublic,
    maxBodyBytes,
    timeoutMs,
    rateLimit,
    certificates: own,
    previews: previews.filter(({ host }) => Object.hasOwn(own, host)),
  };
}

const lineOf = { written: 'wrote', removed: 'removed', unchanged: null, refused: null } as const;

function tell({ name, outcome }: InstalledFile): string {
  return `${lineOf[outcome]} ${name}`;
}

function takenProblem(app: string, name: string): SyncProblem {
  const hint = 'take it out of one of the two: its fnrun.json, or fnrun domains';
  return { app, subject: name, message: `another app has ${name}`, hint };
}

function problemOf({ name, complaints }: InstalledFile): SyncProblem {
  const app = /^fnrun\/(.+)\.conf$/.exec(name)?.[1] ?? null;
  const message = `nginx refuses the file: ${complaints.join('; ')}`;
  return { app, subject: name, message, hint: 'what was there before stays: report this with the line above' };
}
