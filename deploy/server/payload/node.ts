import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { FnrunError } from '../../../runtime/contract/errors.ts';
import type { MachineFacts } from '../facts.ts';

/** The Node of the caller. */
export interface CallerNode {
  platform: string;
  arch: string;
  /** The program. */
  execPath: string;
  version: string;
  /** The glibc that it was made for; null: another C library, or none. */
  glibc: string | null;
}

export function callerNode(): CallerNode {
  const { platform, arch, execPath, version } = process;
  const { header } = process.report.getReport() as { header: { glibcVersionCompiler?: string } };
  return { platform, arch, execPath: realpathSync(execPath), version, glibc: header.glibcVersionCompiler ?? null };
}

type Target = Pick<MachineFacts, 'arch' | 'glibc'>;

/**
 * A Node for the server: the caller's own, else the one of npm's package for it, of the same version. Throws
 * FN_SETUP_FAILED when neither is here.
 */
export function nodeFor({ arch, glibc }: Target, { caller, root }: { caller: CallerNode; root: string }): string {
  if (glibc === null) throw new FnrunError('FN_SETUP_FAILED', 'The server has no glibc, and Node for Linux needs it');
  if (caller.platform === 'linux' && caller.arch === arch && caller.glibc !== null) {
    if (!isAtLeast(glibc, caller.glibc)) {
      throw new FnrunError(
        'FN_SETUP_FAILED',
        `Node ${caller.version} here needs glibc ${caller.glibc}; the server has ${glibc}`,
        {
          hint: 'run fnrun with Node from https://nodejs.org, which needs less',
        },
      );
    }
    return caller.execPath;
  }
  const own = packaged(root, arch);
  if (own !== null && own.version === caller.version.slice(1)) return own.file;
  throw new FnrunError('FN_SETUP_FAILED', `There is no Node ${caller.version} for the server (linux, ${arch}) here`, {
    hint: `where fnrun is: npm install --no-save --os=linux --cpu=${arch} node-linux-${arch}@${caller.version.slice(1)}, or run fnrun server setup local on the server`,
  });
}

function packaged(root: string, arch: string): { file: string; version: string } | null {
  const resolve = (folder: string): string => join(folder, 'node_modules', `node-linux-${arch}`);
  const dir = [root, join(root, '../..')].map(resolve).find((each) => existsSync(join(each, 'bin/node')));
  if (dir === undefined) return null;
  return { file: join(dir, 'bin/node'), version: versionOf(dir) };
}

function versionOf(dir: string): string {
  return (JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8')) as { version: string }).version;
}

/** Compares versions such as 2.36 by number. */
export function isAtLeast(version: string, wanted: string): boolean {
  const [a, b] = [version, wanted].map((each) => each.split('.').map(Number));
  for (let i = 0; i < Math.max(a!.length, b!.length); i++) {
    const [left = 0, right = 0] = [a![i], b![i]];
    if (left !== right) return left > right;
  }
  return true;
}
