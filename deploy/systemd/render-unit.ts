import { comment } from '../comment.ts';
import { FnrunError } from '../../runtime/contract/errors.ts';
import type { UnitSection } from './unit.ts';

/** The text of a unit: each setting below its reason. */
export function renderUnit(sections: readonly UnitSection[]): string {
  const blocks = sections.map(({ name, lines }) => {
    const rendered = lines.flatMap((line) => {
      if ('leftOut' in line) return ['', ...comment(`${line.leftOut} is left out: ${line.reason}`)];
      const setting = `${line.name}=${line.value.map((value) => renderValue(value, line.name)).join(' ')}`;
      return line.reason === undefined ? [setting] : ['', ...comment(line.reason), setting];
    });
    return [`[${name}]`, ...rendered].join('\n').replace('\n\n', '\n');
  });
  return `${['# Written by fnrun render systemd.', ...blocks].join('\n\n')}\n`;
}

/**
 * A value as systemd reads it back. In text from elsewhere `%` means nothing: doubled, it is itself. So is `$`, which counts in commands only.
 * Throws FN_USAGE for control characters.
 */
function renderValue(value: string | { readonly text: string }, name: string): string {
  if (typeof value === 'string') return value;
  const { text } = value;
  // oxlint-disable-next-line no-control-regex -- those are what must not get through
  if (/[\u0000-\u001f\u007f]/.test(text)) {
    throw new FnrunError('FN_USAGE', `Cannot write ${JSON.stringify(text)} into a unit: it has a control character`, {
      hint: 'choose a path without it',
    });
  }
  const literal = text.replaceAll('%', '%%');
  const escaped = name.startsWith('Exec') ? literal.replaceAll('$', '$$$$') : literal;
  return /[\s"'\\;]/.test(escaped) ? `"${escaped.replace(/[\\"]/g, (char) => `\\${char}`)}"` : escaped;
}
