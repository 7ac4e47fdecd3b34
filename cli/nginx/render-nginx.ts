import { accessSync, constants } from 'node:fs';
import type { NginxFile } from '../../deploy/nginx/directive.ts';
import type { NginxFacts, SiteFacts } from '../../deploy/nginx/facts.ts';
import type { InstalledNginx } from '../../deploy/nginx/machine/detect-nginx.ts';
import { validateNginx, type NginxVerdict } from '../../deploy/nginx/machine/validate-nginx.ts';
import { planMain } from '../../deploy/nginx/plan.ts';
import { renderFile } from '../../deploy/nginx/render-config.ts';
import { nameApps } from '../../deploy/nginx/site/names.ts';
import { planSite } from '../../deploy/nginx/site/site.ts';
import { homePaths } from '../../deploy/paths.ts';
import type { SiteBody, SitesBody } from '../../router/control/domain-types.ts';
import { FnrunError } from '../../runtime/contract/errors.ts';
import { homeOption, jsonOption, type CommandContext, type CommandOptions } from '../command.ts';
import { createControlClient } from '../control-client.ts';
import { resolveHome } from '../home.ts';
import { checkUser, userOption } from '../user-name.ts';
import { domainsOf, gatherNginxFacts, nginxOptions } from './facts.ts';

export const renderNginxOptions = {
  ...homeOption,
  ...nginxOptions,
  ...userOption,
  ...jsonOption,
} as const satisfies CommandOptions;

const confDir = '/etc/nginx';

interface Rendered {
  file: NginxFile;
  text: string;
  /** Null: nobody here could judge. */
  verdict: NginxVerdict | null;
}

/** `fnrun render nginx [APP]`: the main part and a file for each app, each checked by nginx itself when it is here. */
export async function renderNginx(context: CommandContext<typeof renderNginxOptions>): Promise<number> {
  const { values, cwd, env, json, out, err } = context;
  const [, app] = context.positionals;
  const home = resolveHome(values.home, { env, cwd });
  const { facts, judge: installed } = await gatherNginxFacts(values, {
    user: checkUser(values.user ?? 'www-data'),
    cwd,
  });
  const judge = canReadCertificate(facts) ? installed : null;
  const sites = await gatherSites({ home, app, domains: domainsOf(values), warn: (line) => err(`fnrun: ${line}`) });
  const main = planMain(facts);
  const rendered = await checkFiles(main, { sites: sites.map((site) => planSite(facts, site)), judge });
  const shown = app === undefined ? rendered : rendered.slice(1);
  if (json) {
    const files = shown.map(({ file, text, verdict }) => ({ path: `${confDir}/${file.name}`, text, verdict }));
    out(JSON.stringify({ facts, sites, files, validatedBy: judge?.program ?? null }, null, 2));
  } else {
    for (const { file, text, verdict } of shown) {
      // What nginx refuses must not be installed.
      if (verdict?.ok !== false)
        out(`${app === undefined ? `# ==== ${confDir}/${file.name} ====\n\n` : ''}${text}`.trimEnd());
    }
  }
  if (facts.tls === null && values['no-tls'] !== true) {
    err('fnrun: HTTP only: name a certificate with --tls-cert and --tls-key, or say --no-tls');
  }
  if (judge === null)
    err(
      `fnrun: not checked: ${installed === null ? `nginx ${facts.build.version} is not here` : 'the certificate cannot be read here'}`,
    );
  for (const { file, verdict } of shown) {
    for (const complaint of verdict?.complaints ?? []) err(`fnrun: ${file.name}: nginx says: ${complaint}`);
  }
  return shown.some(({ verdict }) => verdict?.ok === false) ? 1 : 0;
}

/** Each file with what nginx says of it: the main part by itself, each app's with the main part alone. */
async function checkFiles(
  main: NginxFile,
  { sites, judge }: { sites: readonly NginxFile[]; judge: InstalledNginx | null },
): Promise<Rendered[]> {
  const rendered: Rendered[] = [];
  for (const file of [main, ...sites]) {
    const verdict = judge === null ? null : await validateNginx(file === main ? [main] : [main, file], judge);
    if (file === main && verdict?.ok === false) {
      throw new FnrunError('FN_INTERNAL', `nginx refuses the main part: ${verdict.complaints.join('; ')}`, {
        hint: 'name the version with --nginx-version, and report this',
      });
    }
    rendered.push({ file, text: renderFile(file), verdict });
  }
  return rendered;
}

interface Wanted {
  home: string;
  app: string | undefined;
  domains: readonly string[];
  warn: (line: string) => void;
}

/** The apps of a running server, or the one that is named. Previews are in the file of their app. */
async function gatherSites({ home, app: wanted, domains, warn }: Wanted): Promise<SiteFacts[]> {
  const apps = await askApps(home, { isNeeded: wanted !== undefined, warn });
  if (wanted !== undefined && !apps.some(({ app }) => app === wanted)) {
    throw new FnrunError('FN_NO_SUCH_APP', `There is no app ${JSON.stringify(wanted)} in ${home}`, {
      hint: 'see: fnrun apps',
    });
  }
  const named = nameApps(
    apps.map(({ app, domains: asked }) => ({ app, domains: asked.map(({ name }) => name) })),
    { domains },
  );
  const paths = homePaths(home);
  const sites: SiteFacts[] = [];
  for (const [i, { names, taken }] of named.entries()) {
    const { app, taken: had, hasPublic, maxBodyBytes, timeoutMs, rateLimit } = apps[i]!;
    if (wanted !== undefined && app !== wanted) continue;
    sites.push({
      app,
      names,
      taken: [...taken, ...had],
      previewDomains: domains.length === 0 ? null : domains,
      run: paths.run,
      apps: paths.apps,
      hasPublic,
      maxBodyBytes,
      timeoutMs,
      rateLimit,
    });
  }
  return sites;
}

async function askApps(
  home: string,
  { isNeeded, warn }: { isNeeded: boolean; warn: Wanted['warn'] },
): Promise<SiteBody[]> {
  try {
    return (await createControlClient(home).request<SitesBody>('GET', '/v1/sites')).sites;
  } catch (error) {
    if (isNeeded || !(error instanceof FnrunError) || error.code !== 'FN_NOT_RUNNING') throw error;
    warn(`the main part only: no server runs in ${home} that could tell its apps`);
    return [];
  }
}

function canReadCertificate({ tls }: NginxFacts): boolean {
  try {
    for (const file of tls === null ? [] : [tls.certificate, tls.key]) accessSync(file, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}
