import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildLimits } from '../../runtime/contract/limits.ts';
import { git, tryGit, type GitResult } from '../support/git.ts';
import { descendantNamed, peakTreeBytes } from '../support/proc.ts';
import { type GitFixture, remoteHead, says, startGitFixture } from './git-fixture.ts';

// Trees are written as git stores them: what no checkout could make is pushed all the same.

let fixture: GitFixture;
let dir: string;
let remote: string;
let live: string;

beforeAll(async () => {
  fixture = await startGitFixture();
  ({ dir, remote } = await fixture.makeApp('sources'));
  await git(dir, 'push', '-q', 'fnrun', 'main');
  live = await git(dir, 'rev-parse', 'HEAD');
});

afterAll(() => fixture[Symbol.asyncDispose]());

type Entry = readonly [mode: string, name: string, id: string];

function store(type: 'blob' | 'tree' | 'commit', input: string | Uint8Array): string {
  const args = ['hash-object', '-w', '--literally', '-t', type, '--stdin'];
  return execFileSync('git', args, { cwd: dir, input }).toString().trim();
}

const blob = (text: string): string => store('blob', text);

/** A tree of these entries, with a function beside them. */
function tree(entries: readonly Entry[], { withFunction = true } = {}): string {
  const all: Entry[] = [...entries];
  if (withFunction) {
    const folder = tree([['100644', 'index.ts', blob(says('new'))]], { withFunction: false });
    all.push(['40000', 'functions', folder]);
  }
  const sorted = all.toSorted((a, b) => Buffer.compare(sortName(a), sortName(b)));
  return store(
    'tree',
    Buffer.concat(
      sorted.map(([mode, name, id]) => Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(id, 'hex')])),
    ),
  );
}

/** git sorts folders as if their names ended with a slash. */
function sortName([mode, name]: Entry): Buffer {
  return Buffer.from(mode === '40000' ? `${name}/` : name);
}

const commit = (treeId: string): Promise<string> => git(dir, 'commit-tree', '-p', live, '-m', 'Odd', treeId);

async function pushTree(treeId: string, ...options: string[]): Promise<GitResult> {
  return await tryGit(dir, ['push', ...options, 'fnrun', `${await commit(treeId)}:main`]);
}

async function untouched(): Promise<void> {
  expect(await remoteHead(remote)).toBe(live);
  expect(await fixture.said('sources')).toBe('one');
}

const lfs = `version https://git-lfs.github.com/spec/v1\noid sha256:${'0'.repeat(64)}\nsize 12\n`;
const long = 'x'.repeat(200);
const deep = Array.from({ length: 6 }, () => long);

/** `leaf` below so many folders. */
function nested(names: readonly string[], leaf: Entry): Entry {
  return names.reduceRight<Entry>((inner, name) => ['40000', name, tree([inner], { withFunction: false })], leaf);
}

const refused: [what: string, entries: () => readonly Entry[], line: string][] = [
  [
    'a symbolic link',
    () => [['120000', 'link', blob('/etc/passwd')]],
    'link is a symbolic link: only plain files are built',
  ],
  ['a submodule', () => [['160000', 'sub', live]], 'sub is a submodule: only plain files are built'],
  [
    'a Git LFS pointer',
    () => [['100644', 'model.bin', blob(lfs)]],
    'model.bin is a Git LFS pointer, not the file itself',
  ],
  [
    'paths that differ in case',
    () => [
      ['100644', 'Readme', blob('a')],
      ['100644', 'readme', blob('b')],
    ],
    'The paths "Readme" and "readme" differ in upper and lower case only',
  ],
  [
    'folders that differ in case',
    () => [nested(['Lib'], ['100644', 'a', blob('a')]), nested(['lib'], ['100644', 'b', blob('b')])],
    'The paths "Lib" and "lib" differ in upper and lower case only',
  ],
  [
    'a path that is too long',
    () => [nested(deep, ['100644', 'a', blob('a')])],
    `is longer than ${buildLimits.pathBytes} bytes`,
  ],
  ['a name that is too long', () => [['100644', 'y'.repeat(256), blob('a')]], 'has a segment longer than 255 bytes'],
  [
    'a control character in a path',
    () => [['100644', 'a\u0001b', blob('a')]],
    'The path "a\\u0001b" has a control character',
  ],
  ['a path into .git', () => [nested(['.git'], ['100644', 'config', blob('a')])], "contains '.git'"],
  ['a path that leaves the tree', () => [nested(['..'], ['100644', 'a', blob('a')])], "contains '..'"],
  [
    'a file that is too large',
    () => [['100644', 'large.bin', store('blob', Buffer.alloc(buildLimits.sourceFileBytes + 1))]],
    `large.bin has ${buildLimits.sourceFileBytes + 1} bytes, a file may have ${buildLimits.sourceFileBytes}`,
  ],
  [
    'too many bytes together',
    () => manyTimes(17, store('blob', Buffer.alloc(buildLimits.sourceFileBytes))),
    `The files of the tree have more than ${buildLimits.sourceBytes} bytes together`,
  ],
  [
    'more files than a disk could hold',
    () => [['40000', 'bomb', bomb()]],
    `The tree has more than ${buildLimits.sourceFiles} files`,
  ],
];

function manyTimes(count: number, id: string): Entry[] {
  return Array.from({ length: count }, (_, n) => ['100644', `f${n}`, id] as const);
}

/** Ten levels of folders with ten entries each, which are all the same: ten thousand million files in eleven objects. */
function bomb(): string {
  const names = Array.from({ length: 10 }, (_, n) => `n${n}`);
  let id = blob('boom');
  let mode = '100644';
  for (let level = 0; level < 10; level += 1) {
    const inner = id;
    const innerMode = mode;
    id = tree(
      names.map((name) => [innerMode, name, inner] as const),
      { withFunction: false },
    );
    mode = '40000';
  }
  return id;
}

test.each(refused)('25: %s in a push is rejected, path named', async (_what, entries, line) => {
  const pushed = await pushTree(tree(entries()));
  expect(pushed.code, pushed.output).toBe(1);
  expect(pushed.output).toContain(line);
  await untouched();
});

test('26: 500 MB of zeros are rejected before anything is written, in little memory', { timeout: 60_000 }, async () => {
  const fast = ['-c', 'core.compression=1', '-c', 'core.bigFileThreshold=1m'];
  const hash = spawn('git', [...fast, 'hash-object', '-w', '--stdin'], {
    cwd: dir,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let id = '';
  hash.stdout.setEncoding('utf8').on('data', (text: string) => (id += text));
  const zeros = Buffer.alloc(4 << 20);
  const bytes = 125 * zeros.length;
  for (let n = 0; n < 125; n += 1) if (!hash.stdin.write(zeros)) await once(hash.stdin, 'drain');
  hash.stdin.end();
  await once(hash, 'close');
  const commitId = await commit(tree([['100644', 'zeros.bin', id.trim()]]));
  const pusher = spawn('git', [...fast, 'push', 'fnrun', `${commitId}:main`], {
    cwd: dir,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let output = '';
  pusher.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
  const ended = once(pusher, 'close');
  let most = 0;
  while (pusher.exitCode === null) {
    const server = await descendantNamed(pusher.pid ?? 0, 'receive-pack').catch(() => null);
    if (server !== null) most = Math.max(most, await peakTreeBytes(server, /unpack-objects|index-pack|receive-pack/));
    await setTimeout(5);
  }
  await ended;
  expect(pusher.exitCode, output).toBe(1);
  expect(output).toContain(`zeros.bin has ${bytes} bytes, a file may have ${buildLimits.sourceFileBytes}`);
  expect(most).toBeGreaterThan(0);
  expect(most).toBeLessThan(100e6);
  await untouched();
});

test('a tree without functions, and an empty one, are rejected', async () => {
  for (const files of [[['100644', 'README.md', blob('words')] as const], []]) {
    const pushed = await pushTree(tree(files, { withFunction: false }));
    expect(pushed.code, pushed.output).toBe(1);
    expect(pushed.output).toContain('FN_NO_FUNCTIONS');
    await untouched();
  }
});

test('a file with an odd mode is a plain file', async () => {
  const pushed = await pushTree(tree([['100664', 'odd', blob('a')]]));
  expect(pushed.code, pushed.output).toBe(0);
  expect(await fixture.said('sources')).toBe('new');
});
