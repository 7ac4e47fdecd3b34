import type { ManifestFunction } from '../runtime/contract/manifest.ts';
import { renderTable } from './table.ts';

/** The functions of a release with their methods, one a line, two blanks in front. */
export function renderRoutes(functions: readonly ManifestFunction[]): string {
  const sorted = [...functions].sort((a, b) => (a.route < b.route ? -1 : 1));
  const rows = sorted.map((fn) => [answersOf(fn), routeOf(fn), fn.source]);
  const table = renderTable(['METHODS', 'ROUTE', 'SOURCE'], rows);
  return table.replace(/^/gm, '  ');
}

/** What a function answers; `any` for one that is asked about every method, `websocket` where it takes these. */
function answersOf(fn: ManifestFunction): string {
  const { inspection } = fn;
  if (inspection?.shape === 'websocket') return 'websocket';
  return inspection?.websocket === true ? `${methodsOf(fn)},websocket` : methodsOf(fn);
}

function methodsOf({ inspection }: ManifestFunction): string {
  const methods = inspection?.methods ?? inspection?.settings.methods ?? null;
  if (methods === null) return 'any';
  return inspection?.fallback === null || inspection === null ? methods.join(',') : `${methods.join(',')},any`;
}

function routeOf({ route, inspection }: ManifestFunction): string {
  const subtree = inspection?.settings.subtree ?? inspection?.shape === 'fetch';
  if (!subtree) return route;
  return route === '/' ? '/…' : `${route}, ${route}/…`;
}
