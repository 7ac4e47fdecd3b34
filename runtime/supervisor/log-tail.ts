import { type FileHandle, open } from 'node:fs/promises';
import type { LogRecord } from '../contract/log.ts';

const chunkBytes = 64 * 1024;

/** The newest `lines` matching records of a log, oldest first. `files` newest first; absent ones are skipped. */
export async function readTail(
  files: readonly string[],
  { lines, matches }: { lines: number; matches: (record: LogRecord) => boolean },
): Promise<LogRecord[]> {
  const newestFirst: LogRecord[] = [];
  for (const file of files) {
    if (newestFirst.length >= lines) break;
    const handle = await open(file).catch(() => null);
    if (handle === null) continue;
    try {
      for await (const line of linesBackwards(handle)) {
        const record = parse(line);
        if (record !== null && matches(record)) newestFirst.push(record);
        if (newestFirst.length >= lines) break;
      }
    } finally {
      await handle.close();
    }
  }
  return newestFirst.toReversed();
}

async function* linesBackwards(handle: FileHandle): AsyncGenerator<string, void> {
  let end = (await handle.stat()).size;
  let rest: Buffer = Buffer.alloc(0);
  while (end > 0) {
    const start = Math.max(0, end - chunkBytes);
    const chunk = Buffer.alloc(end - start);
    await handle.read(chunk, 0, chunk.length, start);
    rest = Buffer.concat([chunk, rest]);
    end = start;
    for (let at = rest.lastIndexOf(0x0a); at !== -1; at = rest.lastIndexOf(0x0a)) {
      yield rest.toString('utf8', at + 1);
      rest = rest.subarray(0, at);
    }
  }
  if (rest.length > 0) yield rest.toString('utf8');
}

function parse(line: string): LogRecord | null {
  if (line === '') return null;
  try {
    return JSON.parse(line) as LogRecord;
  } catch {
    // A line cut by a crash or a full disk.
    return null;
  }
}
