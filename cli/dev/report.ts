import { styleText } from 'node:util';
import type { BuildProblem } from '../../builder/build.ts';
import { formatProblems } from '../../builder/format-problems.ts';
import type { ManifestFunction } from '../../runtime/contract/manifest.ts';
import { renderRoutes } from '../route-table.ts';
import { formatDuration } from '../table.ts';
import type { Reload } from './reloader.ts';

/** Says what came of each build. */
export interface Report {
  reload(reload: Reload): void;
}

export interface ReportOptions {
  app: string;
  url: string;
  color: boolean;
  out: (line: string) => void;
  err: (line: string) => void;
}

export function createReport({ app, url, color, out, err }: ReportOptions): Report {
  const paint = (style: Parameters<typeof styleText>[0], text: string): string =>
    color ? styleText(style, text, { validateStream: false }) : text;
  let routes = '';
  let announced = false;
  // What a save undid leads back to what is live: whoever saw the build fail must be told that it does no more.
  let failing = false;
  // A warning is told when it comes up, not again with every save.
  let told = new Set<string>();
  let warned = '';
  const warn = (warnings: readonly BuildProblem[]): void => {
    const text = warnings.length === 0 ? '' : formatProblems(warnings, { color, kind: 'warning' });
    if (text !== warned && text !== '') err(text);
    warned = text;
  };

  const announce = (): void => {
    if (!announced) out(`${paint('bold', app)} listens on ${paint('cyan', `${url}/`)} (Ctrl-C ends it)`);
    announced = true;
  };
  const live = (reload: Extract<Reload, { kind: 'live' }>): void => {
    const table = renderRoutes(reload.manifest.functions);
    const first = routes === '';
    if (table !== routes) out(`\n${table}\n`);
    routes = table;
    const files = reload.manifest.public.length;
    const what = first
      ? `${count(reload.manifest.functions)}${files === 0 ? '' : ` and ${files} static file${files === 1 ? '' : 's'}`}`
      : reload.env
        ? 'every function, .env changed'
        : reload.changed.length === 0
          ? 'files or settings, the code of no function changed'
          : shorten(reload.changed);
    const times = `${formatDuration(reload.totalMs)}, build ${formatDuration(reload.buildMs)}`;
    out(`${paint('green', first ? 'ready' : 'reloaded')} ${what} ${paint('gray', `(${times})`)}`);
  };

  return {
    reload(reload) {
      announce();
      const mended = failing && reload.kind === 'unchanged';
      failing = reload.kind === 'failed';
      if (mended) out(`${paint('green', 'mended')}, what is served is up to date`);
      if (reload.kind === 'unchanged') return;
      warn(reload.warnings);
      if (reload.kind === 'live') {
        for (const note of reload.notes.filter((text) => !told.has(text))) err(`${paint('yellow', 'warning')} ${note}`);
        told = new Set(reload.notes);
        live(reload);
        return;
      }
      err(formatProblems(reload.problems, { color }));
      const now = reload.serving ? 'still serving the last good build' : 'answering 503 until this is mended';
      const what = reload.problems.every(({ code }) => code === 'FN_MIGRATION') ? 'migration failed' : 'build failed';
      err(`${paint('red', what)}, ${now}`);
    },
  };
}

function count(functions: readonly ManifestFunction[]): string {
  return functions.length === 1 ? '1 function' : `${functions.length} functions`;
}

function shorten(names: readonly string[]): string {
  return names.length <= 3 ? names.join(', ') : `${names.slice(0, 3).join(', ')} and ${names.length - 3} more`;
}
