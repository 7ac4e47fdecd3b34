import type { BuildProblem } from '../builder/build.ts';

/** What is wrong with a build in one line, for a deployment's record: the first problem, and how many more there are. */
export function problemRecord(problems: readonly BuildProblem[]): string {
  const [first] = problems;
  if (first === undefined) return 'The build failed';
  const place = [first.file, first.line, first.column].filter((part) => part !== null).join(':');
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : '';
  return `${place === '' ? '' : `${place}: `}${oneLine(first.message)}${more}`;
}

/** The first line of a message; when it only announces what another program said, with the beginning of that. */
function oneLine(message: string): string {
  const [first = '', second] = message.split('\n', 2);
  return first.endsWith(':') && second !== undefined ? `${first} ${second.trim()}` : first;
}
