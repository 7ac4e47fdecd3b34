import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { buildLimits } from '../../runtime/contract/limits.ts';

/** Packages whose install scripts run: all, the named ones, or (null) none. */
export type InstallScripts = true | readonly string[] | null;

/** Packages to install: `dir` holds package.json and the lockfile, and gets node_modules. */
export interface NpmRequest {
  dir: string;
  scripts: InstallScripts;
}

/** How a run of npm ended. */
export interface NpmResult {
  /** The command that was run last. */
  step: 'ci' | 'rebuild';
  /** Null: it was ended at the deadline. */
  exitCode: number | null;
  /** The end of what it wrote. */
  output: string;
  /** The limit for which it was ended; null: none. */
  exceeded: string | null;
  /** Scripts are not run here, for this reason. */
  refused?: string;
}

/** Installs; null: there is no npm. Rejects with the signal's reason when it aborts. */
export type RunNpm = (request: NpmRequest, options: { signal: AbortSignal }) => Promise<NpmResult | null>;

/** One command of npm. */
export interface NpmStep {
  name: NpmResult['step'];
  args: string[];
  /** Only what runs no script of a package may have the network, and the registry's credentials. */
  network: boolean;
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
 * The commands that install packages for running only. No script of a package runs while they are downloaded;
 * those that may run do so afterwards, when nothing is needed from outside any more.
 */
export function npmSteps(scripts: InstallScripts): NpmStep[] {
  const quiet = ['--no-audit', '--no-fund', '--no-update-notifier', '--loglevel=warn'];
  const ci: NpmStep = { name: 'ci', args: ['ci', '--ignore-scripts', '--omit=dev', ...quiet], network: true };
  if (scripts === null) return [ci];
  // What fnrun.json allows is allowed: npm's own list of approvals is for those who install by hand.
  const allowed = ['--ignore-scripts=false', '--dangerously-allow-all-scripts', '--foreground-scripts', '--offline'];
  const names = scripts === true ? [] : ['--', ...scripts];
  return [ci, { name: 'rebuild', args: ['rebuild', ...allowed, ...quiet, ...names], network: false }];
}

/** Runs the steps one after the other, until one fails. */
export async function runSteps(
  steps: readonly NpmStep[],
  run: (step: NpmStep) => Promise<Omit<NpmResult, 'step'>>,
): Promise<NpmResult | null> {
  let result: NpmResult | null = null;
  for (const step of steps) {
    result = { step: step.name, ...(await run(step)) };
    if (result.exitCode !== 0 || result.exceeded !== null) break;
  }
  return result;
}

/** npm as a child process. Which registry, and with what credentials, is the user's own configuration of npm. */
export const runNpmHere: RunNpm = async ({ dir, scripts }, { signal }) => {
  const npm = findNpm();
  if (npm === null) return null;
  return runSteps(npmSteps(scripts), async ({ args }) => {
    // A group of its own: npm starts git for git dependencies, and all of it must end at the deadline.
    const child = spawn(npm.file, [...npm.args, ...args], {
      cwd: dir,
      env: npmEnv(),
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    return { ...(await outcomeOf(child, { signal })), exceeded: null };
  });
};

/** Waits for npm, a process that leads a group, and keeps the end of what it writes; ends the group at the deadline. */
export function outcomeOf(
  child: ChildProcessByStdio<null, Readable, Readable>,
  { signal, deadlineMs = buildLimits.npmInstallMs }: { signal: AbortSignal; deadlineMs?: number },
): Promise<{ exitCode: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    let output = '';
    let timedOut = false;
    const kill = (): void => killGroup(child.pid);
    const timer = setTimeout(() => {
      timedOut = true;
      kill();
    }, deadlineMs);
    const collect = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-buildLimits.npmOutputChars);
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    if (signal.aborted) kill();
    signal.addEventListener('abort', kill, { once: true });
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', kill);
    };
    child.on('error', (error) => {
      done();
      reject(error);
    });
    child.on('close', (code) => {
      done();
      if (signal.aborted) reject(signal.reason);
      else resolve({ exitCode: timedOut ? null : (code ?? 1), output: tidy(output) });
    });
  });
}

function killGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // It ended by itself.
  }
}

// Under `npm start`, npm tells its child which package it runs: not the one to be installed.
const ownOfNpm =
  /^(?:npm_(?:package|lifecycle)_|npm_(?:command|execpath|node_execpath)$|npm_config_(?:local_prefix|prefix|global|workspaces?|omit|include|dir)$|INIT_CWD$|NODE_OPTIONS$)/i;

/** The environment, without what a npm above says to its children. */
export function npmEnv(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !ownOfNpm.test(name)));
}

function tidy(output: string): string {
  const noise = /A complete log of this run|npm warn Unknown |npm notice|_logs\//;
  const lines = output.split('\n').filter((line) => line.trim() !== '' && !noise.test(line));
  return lines.slice(-buildLimits.npmLinesShown).join('\n');
}
