import { styleText } from 'node:util';
import { errorCatalogue } from '../runtime/contract/errors.ts';
import { buildLimits } from '../runtime/contract/limits.ts';
import type { BuildProblem } from './problem.ts';

/** How problems are shown. */
export interface FormatOptions {
  /** ANSI colours. @default false */
  color?: boolean;
  /** `warning` in place of `error`. @default 'error' */
  kind?: 'error' | 'warning';
}

type Style = Parameters<typeof styleText>[0];
type Paint = (style: Style, text: string) => string;

// Minified lines are cut around the place; a tab is one column, as in editors' "line:column".
const lineCharsMax = 100;

/** Problems as text for a terminal: place, code line with the spot underlined, message, what to do. Ends without newline. */
export function formatProblems(problems: readonly BuildProblem[], options: FormatOptions = {}): string {
  const { color = false, kind = 'error' } = options;
  const paint: Paint = (style, text) => (color ? styleText(style, text, { validateStream: false }) : text);
  const shown = problems.slice(0, buildLimits.errorsShown).map((each) => formatProblem(each, { paint, kind }));
  const hidden = problems.length - shown.length;
  if (hidden > 0) shown.push(paint('dim', `… and ${hidden} more ${kind}${hidden === 1 ? '' : 's'}`));
  return shown.join('\n\n');
}

function formatProblem(each: BuildProblem, { paint, kind }: { paint: Paint; kind: 'error' | 'warning' }): string {
  const [first = '', ...rest] = each.message.split('\n');
  const code = each.code === null ? '' : `[${each.code}]`;
  const head = paint(kind === 'error' ? ['bold', 'red'] : ['bold', 'yellow'], `${kind}${code}`);
  const lines = [
    `${head}${paint('bold', `: ${first || (each.code === null ? '' : errorCatalogue[each.code].title)}`)}`,
  ];
  lines.push(...rest.map((line) => `  ${line}`));
  if (each.file !== null) {
    const place = [each.file, each.line, each.line === null ? null : each.column]
      .filter((part) => part !== null)
      .join(':');
    lines.push(`  ${paint('cyan', '-->')} ${place}`);
  }
  if (each.line !== null && each.lineText !== null) lines.push(...excerpt(each, paint));
  if (each.hint !== null) lines.push(`  ${paint('green', 'help:')} ${each.hint}`);
  return lines.join('\n');
}

function excerpt(each: BuildProblem, paint: Paint): string[] {
  const number = String(each.line);
  const gutter = ' '.repeat(number.length);
  const column = Math.max(1, each.column ?? 1);
  const start = column > lineCharsMax * 0.8 ? column - Math.floor(lineCharsMax / 2) : 0;
  const text = printable(each.lineText!.slice(start, start + lineCharsMax));
  const cut = start > 0 ? '…' : '';
  const bar = paint('cyan', '|');
  const indent = ' '.repeat(Math.max(0, column - 1 - start) + cut.length);
  const length = Math.max(1, Math.min(each.length ?? 1, text.length - (column - 1 - start)));
  return [
    `  ${gutter} ${bar}`,
    `  ${paint('cyan', number)} ${bar} ${cut}${text}`,
    `  ${gutter} ${bar} ${indent}${paint(['bold', 'red'], '^'.repeat(length))}`,
  ];
}

/** Sources are not trusted to be kind to terminals: control characters are shown as spaces. */
function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ');
}
