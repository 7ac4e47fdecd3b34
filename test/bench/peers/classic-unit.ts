/**
 * What `systemctl restart app` is where there is no systemd: it keeps `server.js` of a folder running, and starts it afresh on
 * SIGHUP: SIGTERM, wait for the end, start at once. `classic-unit.ts FOLDER PORT`
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';

const [folder = '', port = ''] = process.argv.slice(2);
/** systemd's defaults are 90 s and 100 ms; the server closes everything after 2 s. */
const stopTimeoutMs = 5_000;
const restartMs = 100;

let running: ChildProcess | null = null;
/** Signals that come during a restart wait for its end. */
let turn = Promise.resolve();

function start(): void {
  const child = spawn(process.execPath, ['server.js'], {
    cwd: folder,
    env: { PATH: process.env['PATH'], NODE_ENV: 'production', PORT: port },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  running = child;
  child.once('exit', () => {
    if (running === child) void delay(restartMs).then(start);
  });
}

async function stop(): Promise<void> {
  const child = running;
  running = null;
  if (child === null || child.exitCode !== null) return;
  const timer = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs);
  child.kill('SIGTERM');
  await once(child, 'exit');
  clearTimeout(timer);
}

process.on('SIGHUP', () => {
  turn = turn.then(stop).then(start);
});
process.stdin.on('end', () => void turn.then(stop).then(() => process.exit(0))).resume();
console.log(`http://127.0.0.1:${port}/`);
