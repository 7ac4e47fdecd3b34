import { FnrunError } from '../runtime/contract/errors.ts';
import { envLimits } from '../runtime/contract/limits.ts';

/** Variables as they are named on a command line. */
export interface Assignments {
  set: Record<string, string>;
  /** The one whose value comes from standard input; null: none. */
  fromInput: string | null;
}

/** Reads `K=V` arguments; `K=-` takes the value from standard input. Throws FN_USAGE; no message holds a value. */
export function parseAssignments(args: readonly string[]): Assignments {
  const set: [string, string][] = [];
  let fromInput: string | null = null;
  for (const [index, arg] of args.entries()) {
    const at = arg.indexOf('=');
    // The argument itself may well be a secret whose name was forgotten.
    if (at < 1)
      throw new FnrunError('FN_USAGE', `Variable ${index + 1} is no NAME=VALUE`, { hint: 'see: fnrun env --help' });
    const name = arg.slice(0, at);
    if (set.some(([known]) => known === name) || name === fromInput) {
      throw new FnrunError('FN_USAGE', `${name} is given twice`);
    }
    const value = arg.slice(at + 1);
    if (value !== '-') set.push([name, value]);
    else if (fromInput === null) fromInput = name;
    else
      throw new FnrunError(
        'FN_USAGE',
        `Standard input can be the value of one variable, not of ${fromInput} and ${name}`,
      );
  }
  return { set: Object.fromEntries(set), fromInput };
}

/** All of `input` as a value, without the line break that ends it. */
export async function readValue(input: AsyncIterable<Buffer | string>): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of input) {
    chunks.push(Buffer.from(chunk));
    bytes += chunk.length;
    if (bytes > envLimits.valueBytes + 2) {
      throw new FnrunError('FN_BAD_ENV', `A value may have ${envLimits.valueBytes} bytes: standard input has more`);
    }
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
      .decode(Buffer.concat(chunks))
      .replace(/\r?\n$/, '');
  } catch (cause) {
    throw new FnrunError('FN_BAD_ENV', 'Standard input is no text in UTF-8', {
      cause,
      hint: 'encode binary data, as base64 for example',
    });
  }
}
