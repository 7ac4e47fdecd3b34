import { comment } from '../comment.ts';
import { FnrunError } from '../../runtime/contract/errors.ts';
import type { Item, NginxFile, Word } from './directive.ts';

/** The text of a file: each directive below its reason. */
export function renderFile({ items }: Pick<NginxFile, 'items'>): string {
  return `${renderItems(items, '').join('\n')}\n`;
}

function renderItems(items: readonly Item[], indent: string): string[] {
  return items.flatMap((item, i) => {
    const before = items[i - 1];
    const lines = renderItem(item, indent);
    return before !== undefined && isApart(item, before) ? ['', ...lines] : lines;
  });
}

function renderItem(item: Item, indent: string): string[] {
  if ('title' in item) return comment(item.title, { indent });
  if ('leftOut' in item) return comment(`${item.leftOut} is left out: ${item.reason}`, { indent });
  const head = [item.name, ...(item.words ?? [])].map(renderWord).join(' ');
  const reason = item.reason === undefined ? [] : comment(item.reason, { indent });
  if (item.block === undefined) return [...reason, `${indent}${head};`];
  return [...reason, `${indent}${head} {`, ...renderItems(item.block, `${indent}  `), `${indent}}`];
}

/** A blank line before what has a comment or braces, and behind braces. */
function isApart(item: Item, before: Item): boolean {
  if (!('name' in item) || item.reason !== undefined || item.block !== undefined) return true;
  return 'name' in before && before.block !== undefined;
}

/** A word as nginx reads it back: plain where it can be, else in double quotes. */
export function renderWord(word: Word): string {
  const value = typeof word === 'string' ? word : checkText(word.text) + (word.tail ?? '');
  if (/^[^\s;{}"'\\#]+$/.test(value)) return value;
  // JSON is easier to read so.
  const quote = value.includes('"') && !value.includes("'") ? "'" : '"';
  return `${quote}${value.replace(quote === '"' ? /[\\"]/g : /\\/g, (char) => `\\${char}`)}${quote}`;
}

/** Throws FN_USAGE for what no quoting makes safe: nginx has no escape for `$`, and a name with a line break is none. */
function checkText(text: string): string {
  // oxlint-disable-next-line no-control-regex -- those are what must not get through
  if (!/[\u0000-\u001f\u007f$]/.test(text)) return text;
  const what = text.includes('$') ? 'a $, for which nginx has no escape' : 'a line break or another control character';
  throw new FnrunError(
    'FN_USAGE',
    `Cannot write ${JSON.stringify(text)} into a configuration of nginx: it has ${what}`,
    {
      hint: 'choose a path or name without it',
    },
  );
}
