import { FnrunError } from '../../runtime/contract/errors.ts';

const mostMb = 64 * 1024 * 1024;

/** `2048`, `800M`, `3G` or `1.5G` as mebibytes. Throws FN_USAGE. */
export function parseMegabytes(text: string, { name, least = 1 }: { name: string; least?: number }): number {
  const [, digits, unit] = /^(\d{1,8}(?:\.\d{1,3})?)([MG]?)B?$/i.exec(text.trim()) ?? [];
  const size = Math.round(Number(digits) * (unit?.toUpperCase() === 'G' ? 1024 : 1));
  if (digits !== undefined && size >= least && size <= mostMb) return size;
  throw new FnrunError('FN_USAGE', `${name} is a size such as 2048 (megabytes) or 3G, ${least} MB at least`, {
    hint: `it is ${JSON.stringify(text)}`,
  });
}

/** A whole number from 1 to `most`. Throws FN_USAGE. */
export function parseCount(text: string, { name, most }: { name: string; most: number }): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (value >= 1 && value <= most) return value;
  throw new FnrunError('FN_USAGE', `${name} is a whole number from 1 to ${most}: it is ${JSON.stringify(text)}`);
}
