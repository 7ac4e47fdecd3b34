import { styleText } from 'node:util';
import type { SetupObserver, StepOutcome } from '../../deploy/server/run-setup.ts';
import { formatDuration } from '../table.ts';

/** Where the list goes. */
export interface LiveListOptions {
  /** A line that stays. */
  out: (line: string) => void;
  /** Written as it is, to a terminal; null: there is none, and only what stays is written. */
  write: ((text: string) => void) | null;
  color: boolean;
  columns: () => number;
}

const clearLine = '\r\u001b[2K';

/** Prints a line for each step as it ends, with its time; on a terminal also the one that goes on, and what it tells. */
export function liveList({ out, write, color, columns }: LiveListOptions): SetupObserver & {
  tell(line: string): void;
} {
  let current: string | null = null;
  const draw = (text: string): void => write?.(clearLine + text.slice(0, Math.max(20, columns() - 1)));
  const stay = (line: string): void => {
    write?.(clearLine);
    out(line);
    if (current !== null) draw(`… ${current}`);
  };
  return {
    begin({ title }) {
      current = title;
      draw(`… ${title}`);
    },
    tell(line) {
      stay(`    ${line}`);
    },
    end(outcome) {
      current = null;
      stay(renderOutcome(outcome, { color }));
    },
  };
}

/** One line: a sign, what holds now, what was changed, and the time of what took some. */
function renderOutcome({ state, title, changes, ms }: StepOutcome, { color }: { color: boolean }): string {
  const [sign, format] = (
    { changed: ['✓', 'green'], unchanged: ['·', 'dim'], failed: ['✗', 'red'], 'not run': ['-', 'dim'] } as const
  )[state];
  const count = state === 'changed' ? `, ${changes.length} change${changes.length === 1 ? '' : 's'}` : '';
  const line = `${sign} ${title} (${formatDuration(ms)}${count})`;
  return color ? styleText(format, line, { validateStream: false }) : line;
}
