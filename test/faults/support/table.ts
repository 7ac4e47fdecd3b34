import type { Figures } from './figures.ts';
import type { Entry } from './record.ts';

const columns = ['row', 'fault', 'neighbour', 'requests', 'failed', 'p99 before', 'p99', 'max', 'longest gap'];

/** What the neighbours of each fault felt, as a table for people; times in ms. */
export function tableOf(entries: readonly Entry[]): string {
  const lines = entries
    .toSorted((a, b) => a.row - b.row)
    .flatMap(({ row, fault, before, during }) =>
      Object.entries(during).map(([name, figures], index) => [
        ...(index === 0 ? [String(row), fault] : ['', '']),
        name,
        ...cellsOf(figures, before[name]!),
      ]),
    );
  const widths = columns.map((title, at) => Math.max(title.length, ...lines.map((line) => line[at]!.length)));
  const render = (cells: readonly string[]): string =>
    cells.map((cell, at) => (at < 3 ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!))).join('  ');
  return ['', 'Neighbours while a fault is on (ms)', render(columns), ...lines.map(render)].join('\n');
}

function cellsOf(figures: Figures, before: Figures): string[] {
  const kinds = Object.entries(figures.failureKinds).map(([kind, count]) => `${count}x ${kind}`);
  const failed = kinds.length === 0 ? '0' : kinds.join(', ');
  const times = [before.p99, figures.p99, figures.max, figures.gapMs].map((ms) => ms.toFixed(1));
  return [String(figures.requests), failed, ...times];
}
