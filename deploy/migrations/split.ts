/** One statement of a file. */
export interface Statement {
  sql: string;
  /** Where it begins, from 1. */
  line: number;
}

/** SQL that ends in the middle of something. */
export class SplitError extends Error {
  readonly line: number;

  constructor(message: string, line: number) {
    super(message);
    this.name = 'SplitError';
    this.line = line;
  }
}

/** What is skipped whole; `close` ends it. */
interface Quoted {
  close: string;
  name: string;
  backslash: boolean;
}

const quotes: Readonly<Record<string, Quoted>> = {
  "'": { close: "'", name: 'a string', backslash: true },
  '"': { close: '"', name: 'a string', backslash: true },
  '`': { close: '`', name: 'a quoted name', backslash: false },
};

// What may begin something else than plain code; the delimiter's first character is looked for as well.
const plain = /[^'"`#\-/\n;]+/y;
const space = /\s/;
const delimiterLine = /delimiter(?:[ \t]+(\S+))?[^\n]*/iy;
// A line comment needs a space behind its dashes; drizzle-kit's mark between statements has none.
const dashes = /--(?:[\s\p{Cc}]|$|> statement-breakpoint)/uy;

/**
 * Splits a file as the mysql client does: at semicolons outside of strings, quoted names and comments, or at what a line
 * `DELIMITER //` says. Comments between statements are left out; executable ones (`/*! … *\/`) are statements.
 *
 * Own code, for what the packages there are get wrong: dbgate-query-splitter 4.12 takes the `--` of `1--1` for a
 * comment, and comments for statements.
 */
export function splitSql(text: string): Statement[] {
  const scan = new Scan(text);
  while (!scan.atEnd) scan.step();
  scan.finish();
  return scan.statements;
}

class Scan {
  readonly statements: Statement[] = [];
  readonly #text: string;
  #at = 0;
  #line = 1;
  #delimiter = ';';
  /** Of the statement under way; -1: none has begun. */
  #start = -1;
  #startLine = 1;

  constructor(text: string) {
    this.#text = text;
  }

  get atEnd(): boolean {
    return this.#at >= this.#text.length;
  }

  step(): void {
    const text = this.#text;
    const char = text[this.#at]!;
    if (this.#start === -1 && this.#readDelimiter()) return;
    if (text.startsWith(this.#delimiter, this.#at)) return this.#end(this.#at, this.#delimiter.length);
    const quoted = quotes[char];
    if (quoted !== undefined) {
      this.#begin();
      return this.#skip(this.#closing(quoted));
    }
    if (char === '#' || (char === '-' && matches(dashes, text, this.#at) !== null)) {
      const end = text.indexOf('\n', this.#at);
      return this.#skip(end === -1 ? text.length : end);
    }
    if (text.startsWith('/*', this.#at)) {
      if (/^\/\*M?!/.test(text.slice(this.#at, this.#at + 4))) this.#begin();
      const end = text.indexOf('*/', this.#at + 2);
      if (end === -1) throw new SplitError('a comment is not closed', this.#line);
      return this.#skip(end + 2);
    }
    if (!space.test(char)) this.#begin();
    const run = this.#delimiter === ';' && this.#start !== -1 ? matches(plain, text, this.#at) : null;
    this.#skip(this.#at + (run?.[0].length ?? 1));
  }

  finish(): void {
    this.#end(this.#text.length, 0);
  }

  #begin(): void {
    if (this.#start !== -1) return;
    this.#start = this.#at;
    this.#startLine = this.#line;
  }

  #end(at: number, skipped: number): void {
    if (this.#start !== -1) {
      this.statements.push({ sql: this.#text.slice(this.#start, at).trimEnd(), line: this.#startLine });
    }
    this.#start = -1;
    this.#at = at + skipped;
  }

  #skip(to: number): void {
    // Not by indexOf: in a file of one long line it would look to the end each time.
    for (let at = this.#at; at < to; at++) if (this.#text[at] === '\n') this.#line++;
    this.#at = to;
  }

  #closing({ close, name, backslash }: Quoted): number {
    const text = this.#text;
    for (let at = this.#at + 1; at < text.length; at++) {
      if (backslash && text[at] === '\\') at++;
      // One that is doubled begins the next part at once.
      else if (text[at] === close) return at + 1;
    }
    throw new SplitError(`${name} is not closed`, this.#line);
  }

  /** `DELIMITER //` is the client's, not the server's. */
  #readDelimiter(): boolean {
    const found = matches(delimiterLine, this.#text, this.#at);
    if (found === null || !/^delimiter(?:\s|$)/i.test(found[0])) return false;
    if (found[1] === undefined) throw new SplitError('DELIMITER names none', this.#line);
    this.#delimiter = found[1];
    this.#skip(this.#at + found[0].length);
    return true;
  }
}

function matches(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}
