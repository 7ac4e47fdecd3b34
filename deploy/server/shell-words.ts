import { FnrunError } from '../../runtime/contract/errors.ts';
import { setupLimits } from '../../runtime/contract/limits.ts';

/** A word as the POSIX shell reads it back, whatever is in it. Throws FN_USAGE for a NUL, which no argument can have. */
export function quoteWord(word: string): string {
  if (word.includes('\0')) throw new FnrunError('FN_USAGE', `${JSON.stringify(word)} holds a NUL: it is no argument`);
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

/** Words with spaces between them. */
export function quoteWords(words: readonly string[]): string {
  return words.map(quoteWord).join(' ');
}

/**
 * A script as a command line that every login shell reads the same way: nothing that sh, csh or fish treats differently
 * is left in it. Standard input stays the script's. Throws FN_USAGE when it is longer than the kernel takes.
 */
export function shellCommand(script: string): string {
  const encoded = Buffer.from(script).toString('base64');
  if (encoded.length > setupLimits.scriptChars) {
    throw new FnrunError('FN_USAGE', `A command for the machine has ${encoded.length} characters, more than it takes`, {
      hint: 'give what is long by standard input',
    });
  }
  return `exec /bin/sh -c 'eval "$(echo ${encoded} | base64 -d)"'`;
}
