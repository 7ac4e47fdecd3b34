import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Manifest, manifestName } from '../../runtime/contract/manifest.ts';
import { httpLimits, invocationLimits } from '../../runtime/contract/limits.ts';
import { type RateLimit, rateLimitOf } from '../../runtime/contract/rate-limit.ts';

/** What nginx needs to know of an app's live release. */
export interface LiveSettings {
  hasPublic: boolean;
  /** The largest of its functions. */
  maxBodyBytes: number;
  timeoutMs: number;
  /** Null: fnrun.json says nothing of it. */
  rateLimit: RateLimit | null;
}

/** Of an app without a release. */
export const defaultLiveSettings: LiveSettings = {
  hasPublic: false,
  maxBodyBytes: httpLimits.requestBodyBytes,
  timeoutMs: invocationLimits.timeoutMs,
  rateLimit: null,
};

/** Those of the release in `dir`. The defaults when it has no manifest. */
export async function readLiveSettings(dir: string, { release }: { release: string }): Promise<LiveSettings> {
  const manifest =
    (await readManifest(join(dir, manifestName({ release })))) ?? (await readManifest(join(dir, manifestName())));
  if (manifest === null) return defaultLiveSettings;
  const { maxBodyBytes, timeoutMs } = defaultLiveSettings;
  const all = manifest.functions.map(({ defaults: usual, settings, inspection }) => ({
    maxBodyBytes,
    timeoutMs,
    ...usual,
    ...settings,
    ...inspection?.settings,
  }));
  const own = {
    hasPublic: manifest.public.length > 0,
    rateLimit: manifest.rateLimit === undefined ? null : rateLimitOf(manifest.rateLimit),
  };
  if (all.length === 0) return { ...defaultLiveSettings, ...own };
  return {
    ...own,
    maxBodyBytes: Math.max(...all.map((one) => one.maxBodyBytes)),
    timeoutMs: Math.min(invocationLimits.timeoutMsMax, Math.max(...all.map((one) => one.timeoutMs))),
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
