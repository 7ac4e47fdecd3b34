import { Transform, type TransformCallback } from 'node:stream';
import { backupLimits } from '../../runtime/contract/limits.ts';

/** What both dump programs write last; without it a dump is not whole. */
const endMarker = /(?:^|\n)-- Dump completed[^\n]*\n*$/;

/** Passes a dump on and keeps its end. */
export class DumpEnd extends Transform {
  /** Bytes that have passed. */
  bytes = 0;
  #end = '';

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.bytes += chunk.length;
    const { endBytes } = backupLimits;
    this.#end = (this.#end + chunk.subarray(-endBytes).toString('latin1')).slice(-endBytes);
    done(null, chunk);
  }

  /** Whether it has ended as a dump ends. */
  get isWhole(): boolean {
    return endMarker.test(this.#end);
  }
}

/** Why a dump is not loaded. */
export class ForeignDump extends Error {}

// Where both programs write the owner of a view, a trigger, a routine or an event: at the beginning of a line.
const owned = /^(?:\/\*!50003 CREATE\*\/ |\/\*!50106 CREATE\*\/ )?(?:\/\*!50\d{3} |CREATE )DEFINER=/;
const definer = /DEFINER=(?:`(?:[^`]|``)*`|'[^']*'|[\w.-]+)@(?:`(?:[^`]|``)*`|'[^']*'|[\w.%-]+)/;
// As the dump programs write them, and not as the line of a routine may begin.
const otherSchema = /^(?:USE `(?:[^`]|``)+`;?\s*$|CREATE DATABASE |\/\*!40000 DROP DATABASE )/i;
// Around routines of another collation than the schema's; the schema that is filled is a new one.
const ofSchema = /^ALTER DATABASE /;

/**
 * A dump for another schema and another user: its views, triggers, routines and events are to be his who loads it, and it must
 * not turn to a schema of its own choice. Only the beginning of each line is looked at: a line may have gigabytes.
 * Fails with ForeignDump.
 */
export class DumpForLoading extends Transform {
  #start: Buffer | null = Buffer.alloc(0);

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    try {
      this.#take(chunk);
      done();
    } catch (error) {
      done(error as Error);
    }
  }

  override _flush(done: TransformCallback): void {
    try {
      if (this.#start !== null) this.push(ownLine(this.#start));
      done();
    } catch (error) {
      done(error as Error);
    }
  }

  #take(chunk: Buffer): void {
    let rest = chunk;
    const out: Buffer[] = [];
    while (rest.length > 0) {
      const end = rest.indexOf(10) + 1;
      const line = end === 0 ? rest : rest.subarray(0, end);
      rest = rest.subarray(line.length);
      if (this.#start === null) {
        out.push(line);
      } else {
        this.#start = Buffer.concat([this.#start, line]);
        if (end === 0 && this.#start.length < backupLimits.lineStartBytes) continue;
        out.push(ownLine(this.#start));
      }
      this.#start = end === 0 ? null : Buffer.alloc(0);
    }
    if (out.length > 0) this.push(Buffer.concat(out));
  }
}

function ownLine(line: Buffer): Buffer {
  // Most lines are data.
  if (line.length === 0 || line[0] === 73) return line;
  const text = line.subarray(0, backupLimits.lineStartBytes).toString('latin1');
  if (otherSchema.test(text)) {
    throw new ForeignDump(`it turns to a schema of its own choice: ${text.trim().slice(0, 100)}`);
  }
  if (ofSchema.test(text)) return Buffer.from('\n');
  // Clients that do not know this line take it for a mistake.
  if (text.startsWith('/*M!999999\\-')) return Buffer.from('\n');
  if (!owned.test(text)) return line;
  const changed = text.replace(definer, '');
  return Buffer.concat([Buffer.from(changed, 'latin1'), line.subarray(text.length)]);
}
