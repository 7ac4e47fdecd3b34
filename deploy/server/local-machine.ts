import { copyFile, mkdir, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setupLimits } from '../../runtime/contract/limits.ts';
import { programEnv, type Machine } from './machine.ts';
import { must } from './must.ts';
import { runProgram } from './run-program.ts';

/** The machine that this process runs on: target `local`. */
export function localMachine(): Machine {
  const machine: Machine = {
    name: 'this machine',
    local: true,
    run: (argv, { input, timeoutMs = setupLimits.commandMs } = {}) =>
      runProgram(argv, {
        ...(input !== undefined && { input }),
        timeoutMs,
        // Whoever calls us may have programs of their own in PATH; those of root are behind them.
        env: { ...process.env, ...programEnv, PATH: `${process.env['PATH'] ?? ''}:${programEnv['PATH']}` },
        on: 'this machine',
      }),
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
