import { FnrunError } from '../../runtime/contract/errors.ts';
import { buildLimits } from '../../runtime/contract/limits.ts';
import { type GitOptions, gitExit, startGit } from './run.ts';

/** One file of a pushed tree. */
export interface TreeFile {
  /** From the tree's root, `/`-separated. */
  path: string;
  /** Hash of the blob. */
  blob: string;
  bytes: number;
  executable: boolean;
}

/**
 * Lists the files of `commit` without checking anything out. Rejects with FN_SOURCE_ENTRY for
 * what no build accepts (symlinks, submodules, odd paths), FN_SOURCE_LIMIT for too much of it.
 */
export async function listTree(commit: string, options: GitOptions): Promise<TreeFile[]> {
  const child = startGit(['ls-tree', '-r', '-l', '-z', '--full-tree', commit], options);
  const exit = gitExit(child);
  // Awaited only at the end; a failure meanwhile must not count as unhandled.
  exit.catch(() => {});
  child.stdin.end();
  const tree = new TreeReader();
  try {
    for await (const chunk of child.stdout) tree.push(chunk as Buffer);
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
  const { code, stderr } = await exit;
  if (code !== 0) throw new FnrunError('FN_GIT_FAILED', `Cannot read the tree of ${commit}: ${stderr.trim()}`);
  return tree.files;
}

/** Reads the output of `git ls-tree -r -l -z` as it comes, and checks every entry. */
export class TreeReader {
  readonly files: TreeFile[] = [];
  /** Paths of files and folders by what a file system that ignores case and form takes them for. */
  readonly #folded = new Map<string, string>();
  #bytes = 0;
  #rest: Buffer = Buffer.alloc(0);

  push(chunk: Buffer): void {
    let buffer = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    for (let end = buffer.indexOf(0); end !== -1; end = buffer.indexOf(0)) {
      this.#add(buffer.subarray(0, end));
      buffer = buffer.subarray(end + 1);
    }
    this.#rest = buffer;
  }

  #add(entry: Buffer): void {
    const file = readEntry(entry);
    this.#bytes += file.bytes;
    this.#refuseCollision(file.path);
    this.files.push(file);
    if (this.files.length > buildLimits.sourceFiles) {
      throw new FnrunError('FN_SOURCE_LIMIT', `The tree has more than ${buildLimits.sourceFiles} files`, {
        hint: 'push only sources: add node_modules/ and build output to .gitignore, and git rm --cached them',
      });
    }
    if (this.#bytes > buildLimits.sourceBytes) {
      throw new FnrunError(
        'FN_SOURCE_LIMIT',
        `The files of the tree have more than ${buildLimits.sourceBytes} bytes together`,
        {
          hint: 'keep large files out of the repository',
        },
      );
    }
  }

  /** Names that differ in case or Unicode form only are one file on the machines of others, and a route cannot tell them apart for people. */
  #refuseCollision(path: string): void {
    for (let end = path.length; end !== -1; end = path.lastIndexOf('/', end - 1)) {
      const own = path.slice(0, end);
      const folded = own.normalize('NFC').toLowerCase();
      const other = this.#folded.get(folded);
      // All folders above it have been seen with it.
      if (other === own) return;
      if (other !== undefined) {
        const message = `The paths ${JSON.stringify(other)} and ${JSON.stringify(own)} differ in upper and lower case only`;
        throw new FnrunError('FN_SOURCE_ENTRY', message, { hint: 'rename one of them' });
      }
      this.#folded.set(folded, own);
    }
  }
}

const modes: Record<string, string> = {
  '120000': 'is a symbolic link',
  '160000': 'is a submodule',
};

/** One entry: `<mode> <type> <hash> <size, padded>\t<path>`. */
function readEntry(entry: Buffer): TreeFile {
  const tab = entry.indexOf(0x09);
  const [mode = '', , blob = '', size = ''] = entry.toString('latin1', 0, tab).split(/ +/);
  const path = checkPath(entry.subarray(tab + 1));
  if (mode !== '100644' && mode !== '100755') {
    throw new FnrunError(
      'FN_SOURCE_ENTRY',
      `${path} ${modes[mode] ?? `has the mode ${mode}`}: only plain files are built`,
      {
        hint: `replace ${path} by the files themselves`,
      },
    );
  }
  const bytes = Number(size);
  if (bytes > buildLimits.sourceFileBytes) {
    throw new FnrunError(
      'FN_SOURCE_LIMIT',
      `${path} has ${bytes} bytes, a file may have ${buildLimits.sourceFileBytes}`,
      {
        hint: `git rm --cached ${path}`,
      },
    );
  }
  return { path, blob, bytes, executable: mode === '100755' };
}

function checkPath(raw: Buffer): string {
  const path = raw.toString('utf8');
  const shown = JSON.stringify(path.length > 120 ? `${path.slice(0, 117)}...` : path);
  const refuse = (why: string): never => {
    throw new FnrunError('FN_SOURCE_ENTRY', `The path ${shown} ${why}`, { hint: 'rename it' });
  };
  if (raw.length > buildLimits.pathBytes) refuse(`is longer than ${buildLimits.pathBytes} bytes`);
  if (!Buffer.from(path, 'utf8').equals(raw)) refuse('is not valid UTF-8');
  // fsck refuses `..` and `.git` when they come in a push; objects that were there before never met it.
  for (const segment of path.split('/')) {
    if (segment === '' || segment === '.' || segment === '..' || segment.toLowerCase() === '.git') {
      refuse(`has the segment ${JSON.stringify(segment)}`);
    }
    if (Buffer.byteLength(segment) > 255) refuse('has a segment longer than 255 bytes');
  }
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(path)) refuse('has a control character');
  return path;
}
