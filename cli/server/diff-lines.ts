import { diff } from 'node:util';
import { setupLimits } from '../../runtime/contract/limits.ts';

/** A line of a diff: as it is now, as it shall be, or the same in both. */
export interface DiffLine {
  kind: 'old' | 'new' | 'same' | 'gap';
  text: string;
}

/**
 * What of a text changes, each change with `setupLimits.diffContext` lines around it. Texts too long to compare line by
 * line, and ones that are new, are told by their first lines.
 */
export function diffLines(before: string | null, after: string | null): DiffLine[] {
  const [old, next] = [linesOf(before), linesOf(after)];
  if (old.length + next.length > setupLimits.diffLinesMax) {
    return [{ kind: 'gap', text: `${old.length} lines become ${next.length}` }];
  }
  // Node says 1 for what is in the first only.
  const kinds: Record<string, DiffLine['kind']> = { '1': 'old', '0': 'same', '-1': 'new' };
  const all = (diff(old, next) as [number, string][]).map(([side, text]) => ({ kind: kinds[String(side)]!, text }));
  return oldFirst(aroundChanges(all));
}

function linesOf(text: string | null): string[] {
  if (text === null || text === '') return [];
  return text.replace(/\n$/, '').split('\n');
}

function aroundChanges(lines: readonly DiffLine[]): DiffLine[] {
  const { diffContext } = setupLimits;
  const near = new Set<number>();
  for (const [i, { kind }] of lines.entries()) {
    if (kind === 'same') continue;
    for (let j = i - diffContext; j <= i + diffContext; j++) near.add(j);
  }
  return lines.flatMap((line, i) => {
    if (!near.has(i)) return [];
    return i > 0 && !near.has(i - 1) ? [{ kind: 'gap' as const, text: '…' }, line] : [line];
  });
}

/** Within a run of changed lines those that go come first, as people are used to. */
function oldFirst(lines: readonly DiffLine[]): DiffLine[] {
  const sorted: DiffLine[] = [];
  let added: DiffLine[] = [];
  for (const line of lines) {
    if (line.kind === 'new') added.push(line);
    else if (line.kind === 'old') sorted.push(line);
    else {
      sorted.push(...added, line);
      added = [];
    }
  }
  return [...sorted, ...added];
}
