import type { Readable } from 'node:stream';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { FnrunError } from '../../runtime/contract/errors.ts';
import { deployLimits } from '../../runtime/contract/limits.ts';
import { git, type GitOptions, gitExit, startGit } from './run.ts';
import type { TreeFile } from './tree.ts';

/** What a commit says about itself. */
export interface CommitInfo {
  /** `Name <mail>` */
  author: string;
  /** First line of the message. */
  subject: string;
}

/** Writes the files of `commit` into the empty folder `dir`, and reads the commit itself on the way. */
export async function exportTree(
  commit: string,
  options: GitOptions & { files: readonly TreeFile[]; dir: string },
): Promise<CommitInfo> {
  const { files, dir } = options;
  await makeFolders(files, dir);
  // One process for the commit and all blobs; no checkout, so no filters, attributes or index take part.
  const child = startGit(['cat-file', '--batch'], options);
  const exit = gitExit(child);
  exit.catch(() => {});
  child.stdin.end([commit, ...files.map((file) => file.blob)].map((id) => `${id}\n`).join(''));
  const objects = readObjects(child.stdout);
  try {
    const first = await objects.next();
    if (first.done === true) throw await unreadable(exit);
    const info = readCommit(first.value);
    await writeFiles(objects, { files, dir });
    return info;
  } finally {
    child.kill('SIGKILL');
  }
}

/** Reads what `commit` says about itself. */
export async function readCommitInfo(commit: string, options: GitOptions): Promise<CommitInfo> {
  return parseCommit(await git(['cat-file', 'commit', commit], options));
}

async function makeFolders(files: readonly TreeFile[], dir: string): Promise<void> {
  await mkdir(dir, { recursive: true });
  const folders = new Set(files.map((file) => dirname(file.path)));
  for (const folder of folders) await mkdir(join(dir, folder), { recursive: true });
}

async function writeFiles(
  objects: AsyncGenerator<Buffer, void>,
  { files, dir }: { files: readonly TreeFile[]; dir: string },
): Promise<void> {
  const writing = new Set<Promise<void>>();
  for (const file of files) {
    const object = await objects.next();
    if (object.done === true) throw new FnrunError('FN_GIT_FAILED', `git ended before it had sent ${file.path}`);
    refuseLfsPointer(file, object.value);
    // wx: a path that names an existing file in another way (case, Unicode form) is refused, not overwritten.
    const mode = file.executable ? 0o755 : 0o644;
    const write = writeFile(join(dir, file.path), object.value, { mode, flag: 'wx' });
    const tracked = write.then(() => void writing.delete(tracked));
    tracked.catch(() => {});
    writing.add(tracked);
    if (writing.size >= deployLimits.exportWrites) await Promise.race(writing);
  }
  await Promise.all(writing);
}

/** Yields the contents of each object of `git cat-file --batch`: `<hash> <type> <size>\n<contents>\n`. */
async function* readObjects(stdout: Readable): AsyncGenerator<Buffer, void> {
  let buffer: Buffer = Buffer.alloc(0);
  let chunks: Buffer[] = [];
  let collected = 0;
  let wanted: number | null = null;
  for await (const chunk of stdout as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    collected += chunk.length;
    // Joined only when a whole object is there: a large blob is copied once.
    if (wanted !== null && collected < wanted) continue;
    buffer = chunks.length === 1 ? chunk : Buffer.concat(chunks);
    for (;;) {
      if (wanted === null) {
        const end = buffer.indexOf(0x0a);
        if (end === -1) break;
        const [id, type, size] = buffer.toString('latin1', 0, end).split(' ');
        if (size === undefined) throw new FnrunError('FN_GIT_FAILED', `git cannot read the object ${id}: ${type}`);
        wanted = Number(size) + 1;
        buffer = buffer.subarray(end + 1);
      }
      if (buffer.length < wanted) break;
      yield buffer.subarray(0, wanted - 1);
      buffer = buffer.subarray(wanted);
      wanted = null;
    }
    chunks = [buffer];
    collected = buffer.length;
  }
}

async function unreadable(exit: ReturnType<typeof gitExit>): Promise<FnrunError> {
  const { stderr } = await exit;
  return new FnrunError('FN_GIT_FAILED', `git cannot read the pushed objects: ${stderr.trim()}`);
}

function readCommit(object: Buffer): CommitInfo {
  const text = object.toString('utf8');
  if (!text.startsWith('tree ')) {
    throw new FnrunError('FN_SOURCE_ENTRY', 'What was pushed is no commit', {
      hint: 'push a branch, not a tag object',
    });
  }
  return parseCommit(text);
}

function parseCommit(text: string): CommitInfo {
  const end = text.indexOf('\n\n');
  const author = /^author (.*) \d+ [+-]\d+$/m.exec(text.slice(0, end))?.[1] ?? '';
  const subject = end === -1 ? '' : (text.slice(end + 2).split('\n', 1)[0] ?? '');
  return { author: author.slice(0, 200), subject: subject.slice(0, 200) };
}

// https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md: a pointer starts with its version line.
const lfsPointer = 'version https://git-lfs.github.com/spec/';

function refuseLfsPointer(file: TreeFile, contents: Buffer): void {
  if (contents.length > 1024 || !contents.toString('latin1', 0, lfsPointer.length).startsWith(lfsPointer)) return;
  throw new FnrunError('FN_SOURCE_ENTRY', `${file.path} is a Git LFS pointer, not the file itself`, {
    hint: `git lfs untrack ${file.path}, then commit the file`,
  });
}
