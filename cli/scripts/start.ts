import { once } from 'node:events';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { watchSignals } from '../signals.ts';
import { read, run, start, stop } from './processes.ts';

// `npm start`: the whole way once, on this machine, with real programs: a server, an app, a git
// push, requests. Everything lies in one temporary folder, which Ctrl-C removes.

const root = join(import.meta.dirname, '../..');
const fnrun = join(root, 'cli/fnrun.js');
const portFirst = Number(process.env['PORT'] ?? 8080);
const portsTried = 100;
const startMs = 20_000;
const stopMs = 10_000;
const requestMs = 10_000;

const signals = watchSignals();
process.exitCode = await demo(signals.signal).catch((error: unknown) => {
  // Ctrl-C also ends the programs that the demo waits for.
  if (signals.signal.aborted) return signals.exitCode();
  console.error(`\nThe demo failed: ${error instanceof Error ? error.message : String(error)}`);
  return 1;
});
signals.stop();

async function demo(signal: AbortSignal): Promise<number> {
  await read('git', ['--version'], { cwd: root }).catch(() => {
    throw new Error('git is not installed; get it with: apt-get install git');
  });
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'fnrun-demo-'));
  stack.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  const home = join(folder, 'home');
  const port = await freePort();

  say(`fnrun serve --listen 127.0.0.1:${port}`);
  const serve = [fnrun, 'serve', '--home', home, '--listen', `127.0.0.1:${port}`];
  const server = await start(process.execPath, serve, { ready: /https?:\/\//, deadlineMs: startMs });
  stack.defer(() => stop(server, { deadlineMs: stopMs }));

  say('fnrun apps create hello');
  await run(process.execPath, [fnrun, 'apps', 'create', 'hello', '--home', home], { cwd: folder });
  await push(join(folder, 'hello'), join(home, 'apps/hello/repo.git'));
  if (signal.aborted) return 0;

  const base = `http://127.0.0.1:${port}`;
  const paths = ['/', '/hello/you', '/robots.txt', '/nothing-here'];
  for (const path of paths) await request(`${base}${path}`, signal);

  console.log(`\nThe server stays up. Try it yourself, from another terminal:\n`);
  for (const path of paths) console.log(`  curl -i ${base}${path}`);
  console.log(`\nOr change functions/index.ts and push again:\n`);
  console.log(`  cd ${join(folder, 'hello')}`);
  console.log(`  git commit -am 'Change it' && git push fnrun main`);
  console.log(`\nCtrl-C ends it and removes ${folder}`);
  const ended = once(server, 'exit').then(() => 'server' as const);
  const first = await Promise.race([ended, once(signal, 'abort').then(() => 'signal' as const)]);
  if (first === 'server') throw new Error('the server ended by itself');
  console.log('\nStopping.');
  return 0;
}

/** Copies the example, commits it and pushes it as a person would. */
async function push(app: string, remote: string): Promise<void> {
  await cp(join(root, 'examples/hello'), app, { recursive: true });
  const git = async (...args: string[]): Promise<void> => {
    await read('git', args, { cwd: app });
  };
  await git('init', '--quiet', '--initial-branch=main');
  await git('config', 'user.name', 'fnrun demo');
  await git('config', 'user.email', 'demo@fnrun.invalid');
  await git('config', 'commit.gpgSign', 'false');
  await git('add', '--all');
  await git('commit', '--quiet', '--message', 'Say hello');
  await git('remote', 'add', 'fnrun', remote);
  say('git push fnrun main');
  await run('git', ['push', 'fnrun', 'main'], { cwd: app });
}

async function request(url: string, signal: AbortSignal): Promise<void> {
  say(`curl -i ${url}`);
  const startedAt = performance.now();
  const response = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(requestMs)]) });
  const body = (await response.text()).trimEnd();
  const ms = (performance.now() - startedAt).toFixed(1);
  console.log(`${response.status} ${response.headers.get('content-type') ?? ''} (${ms} ms)\n${body}`);
}

async function freePort(): Promise<number> {
  for (let port = portFirst; port < portFirst + portsTried; port++) {
    if (await isFree(port)) return port;
  }
  throw new Error(`no port from ${portFirst} on is free; name another with: PORT=9000 npm start`);
}

async function isFree(port: number): Promise<boolean> {
  const probe = createServer();
  try {
    await once(probe.listen(port, '127.0.0.1'), 'listening');
  } catch {
    return false;
  }
  probe.close();
  await once(probe, 'close');
  return true;
}

function say(command: string): void {
  console.log(`\n$ ${command}`);
}
