import { execFile } from 'node:child_process';
import { FnrunError } from '../../runtime/contract/errors.ts';
import { appUserLimits } from '../../runtime/contract/limits.ts';

/** Runs a program of the machine that sets or tries rights, and resolves to its output. Rejects with FN_BAD_SETTINGS. */
export async function runTool(
  [program = '', ...args]: readonly string[],
  { timeoutMs = appUserLimits.probeMs }: { timeoutMs?: number } = {},
): Promise<string> {
  const options = { timeout: timeoutMs, killSignal: 'SIGKILL', cwd: '/' } as const;
  return await new Promise((resolve, reject) => {
    execFile(program, args, options, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout);
      // EACCES: it is in no folder of PATH, one of which may not be searched.
      const missing = error.code === 'ENOENT' || error.code === 'EACCES';
      const why = missing ? `there is no ${program}` : stderr.trim().split('\n')[0] || error.message;
      reject(
        new FnrunError('FN_BAD_SETTINGS', `Cannot give apps users of their own (appUsers in config.json): ${why}`, {
          ...(missing && { hint: `install it: apt-get install ${program === 'setfacl' ? 'acl' : program}` }),
        }),
      );
    });
  });
}
