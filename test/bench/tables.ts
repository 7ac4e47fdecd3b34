import { isMet, own, textOf, titleOf, type Figure } from './report.ts';

/** 21,360 and 0.987: thousands are told apart, small figures keep what they have. */
export function formatValue(value: number): string {
  return Math.abs(value) >= 1000 ? Math.round(value).toLocaleString('en-US') : String(value);
}

/** The value with its unit: `0.8 x`, `21,360 req/s`. */
function measureOf({ value, unit }: Figure): string {
  return unit === 'x' ? `${formatValue(value)}×` : `${formatValue(value)} ${unit}`;
}

/** The lines that a person reads while the benchmarks run. */
export function figureLine(figure: Figure): string {
  const met = isMet(figure);
  const target = met === null ? '' : `  (target ${textOf(figure.target)}: ${met ? 'met' : 'missed'})`;
  return `  ${titleOf(figure).padEnd(56)} ${measureOf(figure).padStart(14)}${target}`;
}

/** Every target of this run with its figure and whether it was met. */
export function targetTable(figures: readonly Figure[]): string[] {
  const rows = figures
    .filter((figure) => figure.target !== undefined)
    .map((figure) => [
      figure.case,
      titleOf(figure),
      `${textOf(figure.target)}${figure.unit === 'x' ? '×' : ` ${figure.unit}`}`,
      measureOf(figure),
      isMet(figure) === true ? 'met' : 'MISSED',
    ]);
  return alignColumns([['case', 'what', 'target', 'measured', ''], ...rows]);
}

/** README's table: one row for each of fnrun's figures, one below it for each peer that has the same figure. */
export function markdownTable(figures: readonly Figure[]): string[] {
  const rows: string[][] = [['what', own, 'beside it', 'ratio', 'target']];
  const isRatioOf = (figure: Figure, of: Figure): boolean =>
    figure.over !== undefined && figure.case === of.case && figure.name === of.name;
  for (const figure of figures) {
    const { side, over } = figure;
    if (over !== undefined || side !== own) continue;
    const peers = figures.filter(
      (peer) => peer.over === undefined && peer.side !== own && peer.case === figure.case && peer.name === figure.name,
    );
    const ratios = figures.filter((entry) => isRatioOf(entry, figure));
    const beside = peers.map((peer) => {
      const ratio = ratios.find((entry) => entry.over === peer.side);
      return [
        `${measureOf(peer)} ${peer.side}`,
        ...(ratio === undefined ? ['', ''] : [measureOf(ratio), verdict(ratio)]),
      ];
    });
    // A ratio to one of fnrun's own figures has no peer to stand beside.
    for (const ratio of ratios)
      if (!peers.some((peer) => peer.side === ratio.over)) beside.push([ratio.over!, measureOf(ratio), verdict(ratio)]);
    const head = [`${figure.case}: ${figure.name}`, measureOf(figure)];
    if (figure.target !== undefined || beside.length === 0) rows.push([...head, '', '', verdict(figure)]);
    else rows.push([...head, ...beside.shift()!]);
    for (const row of beside) rows.push(['', '', ...row]);
  }
  const widths = widthsOf(rows);
  const line = (row: readonly string[]): string => `| ${row.map((cell, i) => cell.padEnd(widths[i]!)).join(' | ')} |`;
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return [line(rows[0]!), rule, ...rows.slice(1).map(line)];
}

function verdict(figure: Figure): string {
  const met = isMet(figure);
  return met === null ? '' : `${textOf(figure.target)}: ${met ? 'met' : '**missed**'}`;
}

function alignColumns(rows: readonly string[][]): string[] {
  const widths = widthsOf(rows);
  return rows.map((row) => `  ${row.map((cell, i) => cell.padEnd(widths[i]!)).join('  ')}`.trimEnd());
}

function widthsOf(rows: readonly string[][]): number[] {
  return rows[0]!.map((_cell, i) => Math.max(...rows.map((row) => row[i]!.length)));
}
