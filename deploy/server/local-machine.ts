import { spawn } from 'node:child_process';
import { copyFile, mkdir, rename } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { dirname } from 'node:path';
import { FnrunError } from '../../runtime/contract/errors.ts';
import { setupLimits } from '../../runtime/contract/limits.ts';
import type { Machine, Ran, RunOptions } from './machine.ts';
import { must } from './must.ts';

/** The machine that this process runs on: target `local`. */
export function localMachine(): Machine {
  const machine: Machine = {
    name: 'this machine',
    local: true,
    run: (argv, options) => runProgram(argv, { ...options, name: 'this machine' }),
    upload: async (file, path, { mode, owner = 'root:root' }) => {
      await mkdir(dirname(path), { recursive: true });
      await copyFile(file, `${path}.fnrun-new`);
      await must(machine, ['chown', owner, `${path}.fnrun-new`]);
      await must(machine, ['chmod', mode.toString(8), `${path}.fnrun-new`]);
      await rename(`${path}.fnrun-new`, path);
    },
    loginAnew: async () => undefined,
    close: async () => undefined,
  };
  return machine;
}

/** Runs a program here, with a clean environment. See `Machine.run`. */
export async function runProgram(argv: readonly string[], options: RunOptions & { name: string }): Promise<Ran> {
  const { input, timeoutMs = setupLimits.commandMs, name } = options;
  const [program = '', ...args] = argv;
  const child = spawn(program, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, LC_ALL: 'C.UTF-8', DEBIAN_FRONTEND: 'noninteractive' },
    signal: AbortSignal.timeout(timeoutMs),
    killSignal: 'SIGKILL',
  });
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(code ?? (signal === null ? 1 : 128)));
  });
  // A program that reads nothing of its input is none of ours to judge.
  child.stdin.on('error', () => undefined).end(input);
  try {
    const [code, stdout, stderr] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
    return { code, stdout, stderr };
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT')
      return { code: 127, stdout: '', stderr: `${program}: not found` };
    throw new FnrunError('FN_SETUP_FAILED', `${program} did not end within ${timeoutMs / 1000} s on ${name}`, {
      cause,
    });
  }
}
