/** What a response's bytes have told: it goes on, it is complete (`reusable`: the connection takes another request), or it is no HTTP. */
export type Reading = 'more' | 'malformed' | { status: number; reusable: boolean };

const headEnd = Buffer.from('\r\n\r\n');

/**
 * Reads the responses of one HTTP/1.1 connection, one after the other, as cheaply as it can be: the status, how long the
 * body is, and whether the connection stays. Bodies are counted and dropped.
 */
export class ResponseReader {
  /** Without a body whatever the headers say. */
  readonly #isHead: boolean;
  /** Bytes of a head, or of a chunk's size line, that is not complete. */
  #rest: Buffer | null = null;
  #status = 0;
  #reusable = true;
  /** `head`: nothing of the body is known. `length`, `chunk`: bytes of it are missing. `close`: it ends with the connection. */
  #state: 'head' | 'length' | 'size' | 'chunk' | 'trailer' | 'close' = 'head';
  #missing = 0;

  constructor({ method }: { method: string }) {
    this.#isHead = method === 'HEAD';
  }

  /** What has come after all bytes so far. */
  read(bytes: Buffer): Reading {
    let data = this.#rest === null ? bytes : Buffer.concat([this.#rest, bytes]);
    this.#rest = null;
    while (true) {
      switch (this.#state) {
        case 'head': {
          const end = data.indexOf(headEnd);
          if (end < 0) return this.#wait(data);
          if (!this.#readHead(data.toString('latin1', 0, end + 2))) return 'malformed';
          data = data.subarray(end + 4);
          // A 1xx is followed by the response.
          if (this.#status < 200) continue;
          if (this.#isWhole()) return this.#complete(data);
          continue;
        }
        case 'length':
          this.#missing -= data.length;
          if (this.#missing > 0) return 'more';
          return this.#missing < 0 ? 'malformed' : this.#complete(data.subarray(data.length));
        case 'size':
        case 'trailer': {
          const end = data.indexOf('\r\n');
          if (end < 0) return this.#wait(data);
          const line = data.toString('latin1', 0, end);
          data = data.subarray(end + 2);
          if (this.#state === 'trailer') {
            if (line === '') return this.#complete(data);
            continue;
          }
          const size = /^([0-9a-f]{1,8})\s*(;.*)?$/i.exec(line)?.[1];
          if (size === undefined) return 'malformed';
          // The line break behind a chunk is counted with it.
          this.#missing = parseInt(size, 16) + 2;
          this.#state = this.#missing === 2 ? 'trailer' : 'chunk';
          continue;
        }
        case 'chunk':
          if (data.length < this.#missing) {
            this.#missing -= data.length;
            return 'more';
          }
          data = data.subarray(this.#missing);
          this.#state = 'size';
          continue;
        case 'close':
          return 'more';
      }
    }
  }

  /** The server has ended the connection: the status of a body that ends with it, else null. */
  end(): number | null {
    return this.#state === 'close' ? this.#status : null;
  }

  #isWhole(): boolean {
    return this.#state === 'length' && this.#missing === 0;
  }

  #wait(data: Buffer): Reading {
    if (data.length > 64 * 1024) return 'malformed';
    this.#rest = data;
    return 'more';
  }

  #complete(left: Buffer): Reading {
    this.#state = 'head';
    // More than was asked for.
    return left.length > 0 ? 'malformed' : { status: this.#status, reusable: this.#reusable };
  }

  #readHead(head: string): boolean {
    const status = /^HTTP\/1\.([01]) (\d{3})[ \r]/.exec(head);
    if (status === null) return false;
    this.#status = Number(status[2]);
    const connection = /\r\nconnection: *([^\r]*)/i.exec(head)?.[1] ?? '';
    this.#reusable = status[1] === '1' ? !/\bclose\b/i.test(connection) : /\bkeep-alive\b/i.test(connection);
    const length = /\r\ncontent-length: *(\d+)\r\n/i.exec(head)?.[1];
    if (this.#status < 200) return true;
    this.#missing = 0;
    this.#state = 'length';
    if (this.#isHead || this.#status === 204 || this.#status === 304) return true;
    if (/\r\ntransfer-encoding: *chunked\r\n/i.test(head)) this.#state = 'size';
    else if (length !== undefined) this.#missing = Number(length);
    else this.#state = 'close';
    return true;
  }
}
