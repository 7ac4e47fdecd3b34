/**
 * Headers on the channel are text, as on the wire: `Name: value` lines, each ended by CRLF. One string
 * is posted in a third of the time of a list, and most handlers never look at the headers of a request.
 */

const crlf = '\r\n';

/** Lines of flat names and values. */
export function linesOf(flat: readonly string[]): string {
  let lines = '';
  for (let i = 0; i < flat.length; i += 2) lines += `${flat[i]!}: ${flat[i + 1]!}\r\n`;
  return lines;
}

/** Flat names and values of lines; values without the white space around them. */
export function flatOf(lines: string): string[] {
  const flat: string[] = [];
  for (let at = 0; at < lines.length;) {
    const colon = lines.indexOf(':', at);
    const end = lines.indexOf(crlf, colon);
    flat.push(lines.slice(at, colon), valueAt(lines, { from: colon + 1, to: end }));
    at = end + 2;
  }
  return flat;
}

/** The text between two positions without the spaces and tabs around it. `trim` would take U+00A0 too, a byte of UTF-8 text. */
export function valueAt(lines: string, { from, to }: { from: number; to: number }): string {
  let first = from;
  let last = to;
  while (first < last && isBlank(lines.charCodeAt(first))) first++;
  while (last > first && isBlank(lines.charCodeAt(last - 1))) last--;
  return lines.slice(first, last);
}

function isBlank(code: number): boolean {
  return code === 32 || code === 9;
}
