import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { existsSync, realpathSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { findNpm } from '../../../builder/dependencies/npm.ts';
import { FnrunError } from '../../../runtime/contract/errors.ts';
import { packageRoot } from '../../../runtime/entry-points.ts';
import type { MachineFacts } from '../facts.ts';
import { callerNode, nodeFor } from './node.ts';
import { neededPackages } from './packages.ts';
import { describePayload, packPayload, type Payload } from './payload.ts';

/** This very fnrun and its Node, for a machine with these facts. Reads every file of them. Throws FN_SETUP_FAILED. */
export async function payloadFor(facts: Pick<MachineFacts, 'arch' | 'glibc'>): Promise<Payload> {
  const root = packageRoot();
  const packages = neededPackages(root, { os: 'linux', cpu: facts.arch, libc: 'glibc' });
  const node = nodeFor(facts, { caller: callerNode(), root });
  return await describePayload({ root, packages, node, npm: npmFolder() });
}

/** Its archive, below the user's cache. */
export async function packFor(payload: Payload, { arch }: Pick<MachineFacts, 'arch'>): ReturnType<typeof packPayload> {
  const cache = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'fnrun', 'server');
  return await packPayload(payload, { cache, arch });
}

/** Version of the npm that is here. */
export async function npmVersion(): Promise<string> {
  const text = await readFile(join(npmFolder(), 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/** Builds on the server install packages with the npm that is here. */
function npmFolder(): string {
  const npm = findNpm();
  // <package>/bin/npm-cli.js
  const folder = npm === null ? null : dirname(dirname(realpathSync(npm.args[0] ?? npm.file)));
  // Debian's npm lies in pieces all over /usr/share/nodejs.
  if (folder !== null && existsSync(join(folder, 'node_modules/npm-package-arg'))) return folder;
  throw new FnrunError('FN_SETUP_FAILED', 'There is no whole npm here, which builds on the server need', {
    hint: 'have the npm in PATH that comes with Node: npm install --global npm',
  });
}
