import type { Manifest, ManifestFunction } from '../../runtime/contract/manifest.ts';
import { createMatcher } from '../../router/match.ts';
import { readTarget } from '../../router/target.ts';

/** The function that a path leads to; null: none, a static file for example. */
export function matchFunction({ functions }: Manifest, path: string): ManifestFunction | null {
  const read = readTarget(path);
  return read.ok ? (createMatcher(functions)(read.target)?.fn ?? null) : null;
}
