import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { FnrunError } from '../../../runtime/contract/errors.ts';

/** A regular file in an archive. */
export interface TarEntry {
  /** From the root of the archive; parts between slashes. */
  path: string;
  mode: number;
  /** `sha256`: what the file had when it was listed; another content is refused. */
  content: { file: string; sha256?: string } | { text: string };
}

const blockBytes = 512;

/** An archive in the ustar format, the same bytes for the same files: no times, no owners. Throws for names that it cannot hold. */
export async function* writeTar(entries: readonly TarEntry[]): AsyncGenerator<Uint8Array> {
  for (const { path, mode, content } of entries) {
    if ('text' in content) {
      const bytes = Buffer.from(content.text);
      yield header({ path, mode, size: bytes.length });
      yield bytes;
      yield padding(bytes.length);
      continue;
    }
    const { size } = await stat(content.file);
    yield header({ path, mode, size });
    let read = 0;
    const hash = createHash('sha256');
    for await (const chunk of createReadStream(content.file) as AsyncIterable<Buffer>) {
      read += chunk.length;
      hash.update(chunk);
      yield chunk;
    }
    const sum = hash.digest('hex');
    if (read !== size || sum !== (content.sha256 ?? sum)) {
      throw new FnrunError('FN_SETUP_FAILED', `${content.file} was changed while it was packed`, {
        hint: 'run it again',
      });
    }
    yield padding(size);
  }
  yield Buffer.alloc(2 * blockBytes);
}

function header({ path, mode, size }: { path: string; mode: number; size: number }): Buffer {
  const [prefix, name] = splitName(path);
  const block = Buffer.alloc(blockBytes);
  const octal = (value: number, at: number, chars: number): void =>
    void block.write(`${value.toString(8).padStart(chars - 1, '0')}\0`, at, 'latin1');
  block.write(name, 0, 'utf8');
  octal(mode, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(size, 124, 12);
  octal(0, 136, 12);
  // The sum is reckoned with blanks in its own place.
  block.write(' '.repeat(8), 148, 'latin1');
  block.write('0', 156, 'latin1');
  block.write('ustar\u000000', 257, 'latin1');
  block.write('root', 265, 'latin1');
  block.write('root', 297, 'latin1');
  block.write(prefix, 345, 'utf8');
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

/** A long path is split at a slash: 155 bytes before it, 100 behind. */
function splitName(path: string): [prefix: string, name: string] {
  if (Buffer.byteLength(path) <= 100) return ['', path];
  for (let at = path.indexOf('/'); at !== -1; at = path.indexOf('/', at + 1)) {
    const [prefix, name] = [path.slice(0, at), path.slice(at + 1)];
    if (Buffer.byteLength(prefix) <= 155 && Buffer.byteLength(name) <= 100) return [prefix, name];
  }
  throw new Error(`The path is too long for an archive: ${path}`);
}

function padding(size: number): Buffer {
  return Buffer.alloc((blockBytes - (size % blockBytes)) % blockBytes);
}
