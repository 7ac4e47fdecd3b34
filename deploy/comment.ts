/** Columns that comments are wrapped at. */
const width = 110;

/** Lines of a `#` comment, as configuration files have it. Whatever is in the text, none of it leaves the comment. */
export function comment(text: string, { indent = '' }: { indent?: string } = {}): string[] {
  const start = `${indent}#`;
  const lines: string[] = [];
  let line = start;
  for (const word of oneLine(text).split(' ')) {
    if (line !== start && line.length + 1 + word.length > width) {
      lines.push(line);
      line = start;
    }
    line += ` ${word}`;
  }
  return [...lines, line];
}

/** Text without line breaks and control characters. */
export function oneLine(text: string): string {
  // oxlint-disable-next-line no-control-regex -- those are what must not get through
  return text.replace(/[\u0000-\u0020\u007f\u0085\u2028\u2029]+/g, ' ').trim();
}
