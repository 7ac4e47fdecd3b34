import { styleText } from 'node:util';
import type { BuildSuccess } from '../../builder/build.ts';
import { FnrunError } from '../../runtime/contract/errors.ts';
import type { BootCheckEntry } from '../../runtime/contract/ipc.ts';
import { isDiskFull } from '../disk.ts';
import type { Account } from './account.ts';

const labelWidth = 12;

type Style = Parameters<typeof styleText>[0];

/** Writes `label` and `text` in two columns. */
export function tell(account: Account, label: string, text: string, style: Style = 'bold'): void {
  account.write(`${paint(account, style, label)}${' '.repeat(Math.max(1, labelWidth - label.length))}${text}`);
}

/** Writes why something was refused, and as the last line the one thing to do. */
export function tellRefusal(
  account: Account,
  { line, hint, label }: { line: string; hint: string | null; label: string },
): void {
  tell(account, label, line, 'red');
  if (hint !== null) tell(account, 'what to do', hint);
}

/** `bundled     20 functions, 1 changed (23 ms)` */
export function tellBuilt(account: Account, built: BuildSuccess): void {
  const count = built.manifest.functions.length;
  const changed = built.changed.length === count ? 'all new' : `${built.changed.length} changed`;
  const what =
    count === 1
      ? `1 function, ${built.changed.length === 1 ? 'changed' : 'unchanged'}`
      : `${count} functions, ${changed}`;
  tell(account, 'bundled', `${what} (${ms(built.timings.totalMs)})`);
}

/** `boot check  ok, 1 loaded, 19 as before, slowest users/[id] 4 ms (41 ms)` */
export function tellChecked(
  account: Account,
  { entries, tookMs }: { entries: readonly BootCheckEntry[]; tookMs: number },
): void {
  const loaded = entries.filter((entry) => !entry.reused);
  const reused = entries.length - loaded.length;
  const slowest = loaded.reduce<BootCheckEntry | null>(
    (most, entry) => (most === null || entry.ms > most.ms ? entry : most),
    null,
  );
  const which = slowest === null ? '' : `, slowest ${slowest.name} ${ms(slowest.ms)}`;
  const how = reused === 0 ? '' : `, ${loaded.length} loaded, ${reused} as before`;
  tell(account, 'boot check', `ok${how}${which} (${ms(tookMs)})`);
}

/** `live        http://hello.localhost:8080/ (release 0123456789abcdef)` */
export function tellLive(account: Account, live: { url: string | null; app: string; release: string }): void {
  const where = live.url ?? `on the socket of ${live.app}`;
  tell(account, 'live', `${paint(account, 'green', where)} (release ${live.release})`);
}

/** Message and hint of anything thrown; only FnrunErrors were written for people. */
export function describeError(error: unknown): { line: string; hint: string | null } {
  if (error instanceof FnrunError) return { line: error.message, hint: error.hint };
  if (isDiskFull(error)) {
    return { line: 'The disk of the server is full', hint: 'free some space on the server, then push again' };
  }
  const { message } = error as Error;
  return { line: `fnrun itself failed: ${message ?? String(error)}`, hint: 'see the log of the server' };
}

/** Milliseconds for people: `4 ms`, `1.2 s`. */
export function ms(time: number): string {
  return time < 1000 ? `${Math.max(1, Math.round(time))} ms` : `${(time / 1000).toFixed(1)} s`;
}

function paint(account: Account, style: Style, text: string): string {
  return account.color ? styleText(style, text, { validateStream: false }) : text;
}
