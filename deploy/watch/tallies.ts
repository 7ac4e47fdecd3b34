import type { HostStats } from '../../runtime/contract/ipc.ts';
import type { Manifest, ManifestFunction } from '../../runtime/contract/manifest.ts';
import type { Tally } from './verdict.ts';

/** Tallies of the functions `names`, as a running host tells; of `release` only, else none. */
export function talliesOf(
  stats: HostStats | null,
  { release, names }: { release: string; names: ReadonlySet<string> },
): Map<string, Tally> {
  if (stats === null || stats.release !== release) return new Map();
  const chosen = stats.functions.filter((fn) => names.has(fn.name));
  return new Map(
    chosen.map(({ name, requests, failures, serverErrors }) => [name, { requests, failed: failures + serverErrors }]),
  );
}

/**
 * Names of the functions that are in both releases and not the same: what a new release can have made worse. With
 * `all` also those whose code is the same.
 */
export function changedFunctions(before: Manifest, after: Manifest, { all }: { all: boolean }): Set<string> {
  const hashes = new Map(before.functions.map(({ name, hash }) => [name, hash]));
  const changed = (fn: ManifestFunction): boolean => hashes.has(fn.name) && (all || hashes.get(fn.name) !== fn.hash);
  return new Set(after.functions.filter(changed).map(({ name }) => name));
}
