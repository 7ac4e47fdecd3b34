// Loaded into the daemon by NODE_OPTIONS: gives the processes that it forks the clock that it has itself.
import child_process from 'node:child_process';
import { syncBuiltinESMExports } from 'node:module';

const clock = Object.fromEntries(Object.entries(process.env).filter(([name]) => /^(LD_PRELOAD|FAKETIME)/.test(name)));
const { fork } = child_process;
child_process.fork = (file, args, options) => fork(file, args, { ...options, env: { ...options.env, ...clock } });
syncBuiltinESMExports();
