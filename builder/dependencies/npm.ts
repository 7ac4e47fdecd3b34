import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { buildLimits } from '../../runtime/contract/limits.ts';

/** How a run of npm ended. */
export interface NpmResult {
  /** Null: it was ended at the deadline. */
  exitCode: number | null;
  /** The end of what it wrote. */
  output: string;
}

/** A program and the arguments that come first. */
export interface NpmCommand {
  file: string;
  args: string[];
}

/** npm beside the running Node, else the first in PATH; null when there is none. */
export function findNpm(options: { execPath?: string; path?: string } = {}): NpmCommand | null {
  const { execPath = process.execPath, path = process.env['PATH'] ?? '' } = options;
  const bin = dirname(execPath);
  for (const cli of [
    join(bin, '..', 'lib', 'node_modules', 'npm', 'bin', 'npm-cli.js'),
    join(bin, 'node_modules', 'npm', 'bin', 'npm-cli.js'),
  ]) {
    if (existsSync(cli)) return { file: execPath, args: [cli] };
  }
  const found = [bin, ...path.split(delimiter)].filter((folder) => folder !== '').map((folder) => join(folder, 'npm'));
  const file = found.find((each) => existsSync(each));
  return file === undefined ? null : { file, args: [] };
}

/**
 * `npm ci` in `dir` for running only: no development dependencies, no scripts of packages. Which
 * registry, and with what credentials, is the user's own configuration of npm.
 */
export function npmCi(npm: NpmCommand, options: { dir: string; signal: AbortSignal }): Promise<NpmResult> {
  const args = [
    ...npm.args,
    'ci',
    '--ignore-scripts',
    '--omit=dev',
    '--no-audit',
    '--no-fund',
    '--no-update-notifier',
    '--loglevel=warn',
  ];
  return new Promise((resolve, reject) => {
    // A group of its own: npm starts git for git dependencies, and all of it must end at the deadline.
    const child = spawn(npm.file, args, {
      cwd: options.dir,
      env: npmEnv(),
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    let output = '';
    let timedOut = false;
    const kill = (): void => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      } catch {
        // It ended by itself.
      }
    };
    const timer = setTimeout(() => {
      timedOut = true;
      kill();
    }, buildLimits.npmInstallMs);
    const collect = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-buildLimits.npmOutputChars);
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    options.signal.addEventListener('abort', kill, { once: true });
    const done = (): void => {
      clearTimeout(timer);
      options.signal.removeEventListener('abort', kill);
    };
    child.on('error', (error) => {
      done();
      reject(error);
    });
    child.on('close', (code) => {
      done();
      if (options.signal.aborted) reject(options.signal.reason);
      else resolve({ exitCode: timedOut ? null : (code ?? 1), output: tidy(output) });
    });
  });
}

// Under `npm start`, npm tells its child which package it runs: not the one to be installed.
function npmEnv(): NodeJS.ProcessEnv {
  const own =
    /^(?:npm_(?:package|lifecycle)_|npm_(?:command|execpath|node_execpath)$|npm_config_(?:local_prefix|prefix|global|workspaces?|omit|include|dir)$|INIT_CWD$|NODE_OPTIONS$)/i;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !own.test(name)));
}

function tidy(output: string): string {
  const noise = /A complete log of this run|npm warn Unknown |npm notice|_logs\//;
  const lines = output.split('\n').filter((line) => line.trim() !== '' && !noise.test(line));
  return lines.slice(-buildLimits.npmLinesShown).join('\n');
}
