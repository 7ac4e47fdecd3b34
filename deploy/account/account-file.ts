import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

/**
 * The account of one deployment on disk, line by line as it is told: whoever reads it sees what there is,
 * and a server that is killed leaves what was told until then. A line is written before the next thing is
 * done, which takes some 10 µs: it goes to the page cache and is not synced.
 */
export class AccountFile {
  readonly #path: string;
  #file: number | null = null;
  #failed = false;

  constructor(path: string) {
    this.#path = path;
  }

  /** Never throws: a full disk must not keep the pusher from being told so. What follows a line that is lost is lost too. */
  write(line: string): void {
    if (this.#failed) return;
    try {
      this.#file ??= this.#open();
      writeSync(this.#file, `${stripVTControlCharacters(line)}\n`);
    } catch {
      this.#failed = true;
    }
  }

  close(): void {
    if (this.#file !== null) closeSync(this.#file);
    this.#file = null;
    this.#failed = true;
  }

  #open(): number {
    mkdirSync(dirname(this.#path), { recursive: true });
    return openSync(this.#path, 'a');
  }
}
