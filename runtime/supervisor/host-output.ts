import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { LogRecord } from '../contract/log.ts';

/** Calls `onLine` with each line that is not blank. */
export function readHostLines(stream: Readable, onLine: (line: string) => void): void {
  createInterface({ input: stream, crlfDelay: Infinity }).on('line', (line) => {
    if (line.trim() !== '') onLine(line);
  });
}

/** Reads log records, one JSON line each; `onCut` gets what a killed host left of a line. */
export function readLogRecords(
  stream: Readable,
  { onLog, onCut }: { onLog: (record: LogRecord) => void; onCut: (line: string) => void },
): void {
  readHostLines(stream, (line) => {
    const record = parse(line);
    if (record === null) onCut(line.slice(0, 200));
    else onLog(record);
  });
}

function parse(line: string): LogRecord | null {
  try {
    return JSON.parse(line) as LogRecord;
  } catch {
    return null;
  }
}
