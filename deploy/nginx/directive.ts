/**
 * A word behind a directive's name. A string is the renderer's own and may hold nginx's variables; what comes from
 * elsewhere (a name, a path) is `{ text }`, in which nothing means anything; `tail` is the renderer's own behind it.
 */
export type Word = string | { readonly text: string; readonly tail?: string };

/** One directive, as data. */
export interface Directive {
  name: string;
  words?: readonly Word[];
  /** Why it is there, and with this value. */
  reason?: string;
  /** What stands between its braces. */
  block?: readonly Item[];
}

/** A directive that people expect, and why it is not there. */
export interface LeftOut {
  leftOut: string;
  reason: string;
}

/** A heading. */
export interface Title {
  title: string;
}

export type Item = Directive | LeftOut | Title;

/** One file of the configuration. */
export interface NginxFile {
  /** Path from the folder of nginx.conf: `nginx.conf`, `fnrun/shop.conf`. */
  name: string;
  items: readonly Item[];
}

export function directive(name: string, words: readonly Word[], reason?: string): Directive {
  return { name, words, ...(reason !== undefined && { reason }) };
}

export function block(
  name: string,
  { words = [], reason, items }: { words?: readonly Word[]; reason?: string; items: readonly Item[] },
): Directive {
  return { name, words, block: items, ...(reason !== undefined && { reason }) };
}

/** All directives of `items`, those within blocks too, in the order of the file. */
export function directivesOf(items: readonly Item[]): Directive[] {
  return items.flatMap((item) => ('name' in item ? [item, ...directivesOf(item.block ?? [])] : []));
}

/** All that `items` leave out. */
export function leftOutOf(items: readonly Item[]): LeftOut[] {
  return items.flatMap((item) =>
    'leftOut' in item ? [item] : 'name' in item && item.block !== undefined ? leftOutOf(item.block) : [],
  );
}
