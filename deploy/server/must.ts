import { FnrunError } from '../../runtime/contract/errors.ts';
import { setupLimits } from '../../runtime/contract/limits.ts';
import type { Machine, RunOptions } from './machine.ts';

/** Runs a program that has to succeed and resolves to what it printed. Throws FN_SETUP_FAILED with its own last words. */
export async function must(
  machine: Pick<Machine, 'name' | 'run'>,
  argv: readonly string[],
  options?: RunOptions,
): Promise<string> {
  const { code, stdout, stderr } = await machine.run(argv, options);
  if (code === 0) return stdout;
  const words = (stderr.trim() || stdout.trim()).split('\n').slice(-setupLimits.lastWords).join('\n');
  throw new FnrunError('FN_SETUP_FAILED', `${argv.join(' ')} ended with ${code} on ${machine.name}: ${words}`);
}
