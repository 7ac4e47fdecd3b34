// Loaded into the daemon by NODE_OPTIONS: gives the processes that it starts the clock that it has itself.
import child_process from 'node:child_process';
import { syncBuiltinESMExports } from 'node:module';

const clock = Object.fromEntries(Object.entries(process.env).filter(([name]) => /^(LD_PRELOAD|FAKETIME)/.test(name)));
const { spawn } = child_process;
child_process.spawn = (file, args, options) =>
  spawn(file, args, { ...options, env: { ...(options?.env ?? process.env), ...clock } });
syncBuiltinESMExports();
