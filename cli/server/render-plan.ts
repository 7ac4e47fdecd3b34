import { styleText } from 'node:util';
import type { PlannedStep } from '../../deploy/server/run-setup.ts';
import type { Change } from '../../deploy/server/step.ts';
import { diffLines, type DiffLine } from './diff-lines.ts';

/** How a plan is printed. */
export interface PlanStyle {
  color: boolean;
}

/** A plan for people: each step that has something to do with its changes, files as diffs; the others in one line. */
export function renderPlan(steps: readonly PlannedStep[], style: PlanStyle): string {
  const todo = steps.filter(({ changes }) => changes.length > 0);
  const count = todo.reduce((sum, { changes }) => sum + changes.length, 0);
  const blocks = todo.map(({ id, title, changes }) =>
    [`${paint('bold', id, style)}  ${title}`, ...changes.flatMap((change) => renderChange(change, style))].join('\n'),
  );
  const done = steps.filter(({ changes }) => changes.length === 0).map(({ id }) => id);
  const summary = `${count === 0 ? 'Nothing to change' : `${plural(count, 'change')} in ${plural(todo.length, 'step')}`}${
    done.length === 0 ? '.' : `; as it should be: ${done.join(', ')}.`
  }`;
  return [...blocks, summary].join('\n\n');
}

function renderChange({ what, before, after }: Change, style: PlanStyle): string[] {
  const sign = paint('yellow', '~', style);
  if (before === undefined && after === undefined) return [`  ${sign} ${what}`];
  const lines = diffLines(before ?? null, after ?? null);
  return [`  ${sign} ${what}`, ...lines.map((line) => `      ${renderLine(line, style)}`)];
}

const signs: Readonly<Record<DiffLine['kind'], readonly [string, 'red' | 'green' | 'dim']>> = {
  old: ['- ', 'red'],
  new: ['+ ', 'green'],
  same: ['  ', 'dim'],
  gap: ['  ', 'dim'],
};

function renderLine({ kind, text }: DiffLine, style: PlanStyle): string {
  const [sign, color] = signs[kind];
  return paint(color, sign + printable(text), style).trimEnd();
}

/** Text from another machine never moves the cursor of this terminal. */
function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- those are what must not get through
  return text.replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '\ufffd');
}

function paint(format: Parameters<typeof styleText>[0], text: string, { color }: PlanStyle): string {
  return color ? styleText(format, text, { validateStream: false }) : text;
}

function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}
