import type { BenchStep } from './step.ts';

export const columns = [
  'OFFERED',
  'ACHIEVED',
  'P50',
  'P99',
  'P99.9',
  'ERRORS',
  'APP CPU',
  'LOAD CPU',
  'MACHINE',
  'HOLDS',
];
const widths = [10, 10, 9, 9, 9, 8, 8, 8, 9, 4];

/** A line of the table: it is printed while the search goes on, so its columns have fixed widths. */
export function renderLine(cells: readonly string[]): string {
  return cells
    .map((cell, i) => (i === cells.length - 1 ? cell : cell.padStart(widths[i] ?? 0)))
    .join('  ')
    .trimEnd();
}

export function renderStep(step: BenchStep): string {
  const { cpu } = step;
  return renderLine([
    count(step.rate),
    count(step.achieved),
    milliseconds(step.p50),
    milliseconds(step.p99),
    milliseconds(step.p999),
    count(step.errors),
    cpu.app === null ? '-' : cpu.app.toFixed(2),
    cpu.load.toFixed(2),
    `${cpu.machine.toFixed(2)}/${cpu.cores}`,
    step.holds ? 'yes' : 'no',
  ]);
}

/** `12,345`. */
export function count(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** `0.42 ms`, `12 ms`, `1,200 ms`. */
export function milliseconds(value: number): string {
  const shown = value >= 100 ? count(value) : String(Number(value.toPrecision(value >= 10 ? 3 : 2)));
  return `${shown} ms`;
}
