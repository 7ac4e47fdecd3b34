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

/** Every target of this run with its figure and whether it was met, for a terminal. */
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

/** Tables for README: fnrun among its peers, fnrun's other figures, and the targets. */
export function markdown(figures: readonly Figure[]): string[] {
  // Peers fail too, but what README promises is fnrun's.
  const failures = figures.filter(({ unit, side }) => unit === 'requests' && side === own);
  const failed = failures.reduce((sum, { value }) => sum + value, 0);
  const rest = figures.filter(({ unit }) => unit !== 'requests');
  const compared = rest.filter(({ over, name, side, ...of }) => {
    const isPeer = (peer: Figure): boolean => peer.case === of.case && peer.name === name && peer.side !== own;
    return over === undefined && side === own && rest.filter(isPeer).length > 1;
  });
  const others = rest.filter((figure) => !compared.some((row) => row.case === figure.case && row.name === figure.name));
  return [
    ...(compared.length > 0 ? [...peerTable(compared, rest), ''] : []),
    ...(others.length > 0 ? [...figureTable(others), ''] : []),
    `Requests of fnrun that failed, in all cases together: ${formatValue(failed)}`,
  ];
}

/** One row for each of fnrun's figures that several peers have too, one column for each side. */
function peerTable(rows: readonly Figure[], all: readonly Figure[]): string[] {
  const named = all.filter((figure) => rows.some((row) => row.case === figure.case && row.name === figure.name));
  const sides = [...new Set(named.map(({ side }) => side))];
  const cells = rows.map((row) => [
    `${row.case}: ${row.name}`,
    ...sides.map((side) => {
      const same = named.filter((figure) => figure.case === row.case && figure.name === row.name);
      const figure = same.find((entry) => entry.side === side && entry.over === undefined);
      const ratio = same.find((entry) => entry.over === side);
      if (figure === undefined) return 'not measured';
      return ratio === undefined ? measureOf(figure) : `${measureOf(figure)} (${measureOf(ratio)})`;
    }),
  ]);
  return markdownRows([['what (fnrun / peer)', ...sides], ...cells]);
}

/** One row for each figure; a ratio and what it is to stand beside the figure that they belong to. */
function figureTable(figures: readonly Figure[]): string[] {
  const rows = figures
    .filter(({ side, over }) => side === own && over === undefined)
    .map((figure) => {
      const same = figures.filter((entry) => entry.case === figure.case && entry.name === figure.name);
      const ratio = same.find(({ over }) => over !== undefined);
      const peer = same.find(({ side }) => side !== own);
      const beside = peer === undefined ? (ratio?.over ?? '') : `${measureOf(peer)} ${peer.side}`;
      const verdicts = [figure, ratio].map((entry) => (entry === undefined ? '' : verdict(entry))).filter(Boolean);
      const ratioText = ratio === undefined ? '' : measureOf(ratio);
      return [`${figure.case}: ${figure.name}`, measureOf(figure), beside, ratioText, verdicts.join(', ')];
    });
  return markdownRows([['what', own, 'beside it', 'ratio', 'target'], ...rows]);
}

function markdownRows(rows: readonly string[][]): string[] {
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
