import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Manifest, manifestName } from '../../runtime/contract/manifest.ts';
import { httpLimits, invocationLimits } from '../../runtime/contract/limits.ts';

/** What nginx needs to know of an app's live release. */
export interface LiveSettings {
  hasPublic: boolean;
  maxBodyBytes: number;
  timeoutMs: number;
}

/** Those of the release in `dir`: the largest of its functions. The defaults when there is none that can be read. */
export async function readLiveSettings(dir: string, { release }: { release: string }): Promise<LiveSettings> {
  const manifest =
    (await readManifest(join(dir, manifestName({ release })))) ?? (await readManifest(join(dir, manifestName())));
  const defaults = { maxBodyBytes: httpLimits.requestBodyBytes, timeoutMs: invocationLimits.timeoutMs };
  const all = (manifest?.functions ?? []).map(({ defaults: usual, settings, inspection }) => ({
    ...defaults,
    ...usual,
    ...settings,
    ...inspection?.settings,
  }));
  if (all.length === 0) return { hasPublic: (manifest?.public.length ?? 0) > 0, ...defaults };
  return {
    hasPublic: (manifest?.public.length ?? 0) > 0,
    maxBodyBytes: Math.max(...all.map(({ maxBodyBytes }) => maxBodyBytes)),
    timeoutMs: Math.min(invocationLimits.timeoutMsMax, Math.max(...all.map(({ timeoutMs }) => timeoutMs))),
  };
}

async function readManifest(path: string): Promise<Manifest | null> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Manifest;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
