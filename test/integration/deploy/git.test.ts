import { mkdir, readFile, stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { exportTree } from '../../../deploy/git/export.ts';
import { isAncestor, pointHead, readRef, refMoved } from '../../../deploy/git/refs.ts';
import { createRepository, refreshRepository } from '../../../deploy/git/repository.ts';
import { listTree } from '../../../deploy/git/tree.ts';
import { gitVersion } from '../../../deploy/git/version.ts';
import { commitAll, git, initRepository, tryGit } from '../../support/git.ts';
import { makeTempDir, writeTree } from '../../support/temp-dir.ts';

let root: string;
let work: string;
let repository: string;

beforeEach(async () => {
  const dir = await makeTempDir('fn-');
  root = dir.path;
  work = join(root, 'work');
  repository = join(root, 'repo.git');
  await mkdir(work);
  await initRepository(work);
  await createRepository(repository);
  return dir.remove;
});

async function pushed(files: Record<string, string | Uint8Array>, branch = 'main'): Promise<string> {
  await writeTree(work, files);
  const commit = await commitAll(work, 'First line\n\nMore');
  await git(work, 'push', '-q', repository, `HEAD:${branch}`);
  return commit;
}

test('exportTree writes the files of a commit as they are', async () => {
  const bytes = Buffer.from([...Array(256).keys(), 10, 10, 0]);
  const large = Buffer.alloc(3_000_000, 'line of text\n');
  const commit = await pushed({ 'functions/a.ts': 'a\r\n', 'deep/er/x.bin': bytes, 'large.txt': large, empty: '' });
  const dir = join(root, 'out');
  const files = await listTree(commit, { repository });
  const info = await exportTree(commit, { repository, files, dir });
  expect(info).toEqual({ author: 'Test <test@example.invalid>', subject: 'First line' });
  expect(await readFile(join(dir, 'functions/a.ts'), 'utf8')).toBe('a\r\n');
  expect((await readFile(join(dir, 'deep/er/x.bin'))).equals(bytes)).toBe(true);
  expect((await readFile(join(dir, 'large.txt'))).equals(large)).toBe(true);
  expect((await stat(join(dir, 'empty'))).size).toBe(0);
});

test('exportTree ignores attributes that would change or hide files', async () => {
  const commit = await pushed({
    '.gitattributes': '* export-ignore\n*.txt eol=crlf export-subst\n',
    'x.txt': '$Format:%H$\n',
  });
  const dir = join(root, 'out');
  await exportTree(commit, { repository, files: await listTree(commit, { repository }), dir });
  expect(await readFile(join(dir, 'x.txt'), 'utf8')).toBe('$Format:%H$\n');
});

test('exportTree refuses a Git LFS pointer and names it', async () => {
  const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${'0'.repeat(64)}\nsize 12\n`;
  const commit = await pushed({ 'model.bin': pointer });
  const files = await listTree(commit, { repository });
  await expect(exportTree(commit, { repository, files, dir: join(root, 'out') })).rejects.toMatchObject({
    code: 'FN_SOURCE_ENTRY',
    message: 'model.bin is a Git LFS pointer, not the file itself',
  });
});

test('listTree refuses a symbolic link and a submodule, path named', async () => {
  await symlink('/etc/passwd', join(work, 'link'));
  const linked = await pushed({ a: 'a' });
  await expect(listTree(linked, { repository })).rejects.toMatchObject({
    code: 'FN_SOURCE_ENTRY',
    message: 'link is a symbolic link: only plain files are built',
  });
  await git(work, 'rm', '-q', 'link');
  await git(work, 'update-index', '--add', '--cacheinfo', `160000,${linked},sub`);
  await git(work, 'commit', '-q', '-m', 'x');
  await git(work, 'push', '-q', repository, 'HEAD:main');
  const commit = await git(work, 'rev-parse', 'HEAD');
  await expect(listTree(commit, { repository })).rejects.toMatchObject({
    message: 'sub is a submodule: only plain files are built',
  });
});

test('listTree says so when the commit is not there', async () => {
  await expect(listTree('1'.repeat(40), { repository })).rejects.toMatchObject({ code: 'FN_GIT_FAILED' });
});

test('readRef reads loose and packed refs, and null for none', async () => {
  const commit = await pushed({ a: 'a' });
  expect(await readRef(repository, 'refs/heads/main')).toBe(commit);
  await git(repository, 'pack-refs', '--all');
  expect(await readRef(repository, 'refs/heads/main')).toBe(commit);
  expect(await readRef(repository, 'refs/heads/other')).toBeNull();
  expect(await readRef(repository, 'refs/heads')).toBeNull();
});

test('isAncestor tells a fast-forward from a rewrite', async () => {
  const first = await pushed({ a: 'a' });
  const second = await pushed({ a: 'b' });
  const quarantine = null;
  expect(await isAncestor(first, second, { repository, quarantine })).toBe(true);
  expect(await isAncestor(second, first, { repository, quarantine })).toBe(false);
});

test('refMoved resolves as soon as the ref has moved', async () => {
  const commit = await pushed({ a: 'a' }, 'other');
  const { signal } = new AbortController();
  const moved = refMoved(repository, { ref: 'refs/heads/main', commit, signal });
  await git(repository, 'update-ref', 'refs/heads/main', commit);
  expect(await moved).toBe(true);
});

test('refMoved gives up when its signal aborts', async () => {
  const moved = refMoved(repository, { ref: 'refs/heads/main', commit: '1'.repeat(40), signal: AbortSignal.abort() });
  expect(await moved).toBe(false);
});

test('pointHead makes clones check out the production branch', async () => {
  await pushed({ a: 'a' }, 'master');
  await pointHead(repository, 'refs/heads/master');
  expect(await git(repository, 'symbolic-ref', 'HEAD')).toBe('refs/heads/master');
});

test('hook says what to do when its Node is gone, and rejects the push', async () => {
  const hook = { node: '/nowhere/node', script: "/nowhere/it's/hook.js", controlSocket: '/nowhere/run/control.sock' };
  await refreshRepository(repository, { app: 'hello', hook });
  await writeTree(work, { a: 'a' });
  await commitAll(work, 'x');
  const result = await tryGit(work, ['push', repository, 'HEAD:main']);
  expect(result.code).toBe(1);
  expect(result.output).toContain('start "fnrun serve" again');
  expect(await readRef(repository, 'refs/heads/main')).toBeNull();
});

test('hooks run even when the configuration of the pusher switches hooks off', async () => {
  const hook = { node: '/nowhere/node', script: '/nowhere/hook.js', controlSocket: '/nowhere/run/control.sock' };
  await refreshRepository(repository, { app: 'hello', hook });
  await writeTree(work, { a: 'a' });
  await commitAll(work, 'x');
  await writeTree(root, { gitconfig: '[core]\n\thooksPath = /dev/null\n' });
  const result = await tryGit(work, ['push', repository, 'HEAD:main'], { GIT_CONFIG_GLOBAL: join(root, 'gitconfig') });
  expect(result.code).toBe(1);
});

test('gitVersion names the version', async () => {
  expect(await gitVersion()).toMatch(/^\d+\.\d+/);
});
