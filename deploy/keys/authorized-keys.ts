import { chmod, mkdir, readFile, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/** What the forced command of a key runs. All paths are absolute. */
export interface ReceiveProgram {
  /** The Node that runs the launcher. */
  node: string;
  /** `cli/fnrun.js` */
  launcher: string;
  home: string;
}

/** A key as its line needs it. */
export interface KeyLine {
  id: string;
  name: string;
  type: string;
  blob: string;
}

/** The line of one key (sshd(8), AUTHORIZED_KEYS FILE FORMAT). Throws when a path cannot stand in one. */
export function renderKeyLine(key: KeyLine, { node, launcher, home }: ReceiveProgram): string {
  const words = [node, launcher, 'receive', '--key', key.id, '--home', home];
  // exec: with the shell between them, sshd's process would not be the parent, by whose end a hang-up is known.
  const command = `exec ${words.map(shellWord).join(' ')}`;
  // sshd knows one escape within the quotes, \"; a backslash before anything else stands for itself.
  const line = `restrict,command="${command.replaceAll('"', '\\"')}" ${key.type} ${key.blob} fnrun:${key.name}`;
  // oxlint-disable-next-line no-control-regex
  if (/[\0-\x1f\x7f]/.test(line)) throw new Error('A path with control characters cannot stand in authorized_keys');
  return line;
}

/** What sshd gives to the user's shell: plain words as they are, so that the file can be read. */
function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** `text` with the lines of fnrun's part of `home` replaced; everything else stays as it is, byte for byte. */
export function replaceOwnLines(text: string, { home, lines }: { home: string; lines: readonly string[] }): string {
  const { before, after } = splitOwnLines(text, home);
  if (lines.length === 0) return before + after;
  const gap = before === '' || before.endsWith('\n') ? '' : '\n';
  const { begin, end } = markers(home);
  return `${before}${gap}${[begin, ...lines, end].join('\n')}\n${after}`;
}

/** The lines of the file that are not fnrun's. */
export function foreignLines(text: string, home: string): string {
  const { before, after } = splitOwnLines(text, home);
  return `${before}\n${after}`;
}

function splitOwnLines(text: string, home: string): { before: string; after: string } {
  const { begin, end } = markers(home);
  const lines = text.split(/(?<=\n)/);
  const first = lines.findIndex((line) => line.trimEnd() === begin);
  const last = lines.findIndex((line, index) => index > first && line.trimEnd() === end);
  // Without its end the part has been edited by hand; the keys in it are all that can be said to be ours.
  if (first === -1) return { before: text, after: '' };
  const own = last === -1 ? lines.findLastIndex((line) => / fnrun:\S+\s*$/.test(line)) : last;
  return { before: lines.slice(0, first).join(''), after: lines.slice(Math.max(first, own) + 1).join('') };
}

function markers(home: string): { begin: string; end: string } {
  return {
    begin: `# BEGIN keys of fnrun in ${home} (written by fnrun; use: fnrun keys)`,
    end: `# END keys of fnrun in ${home}`,
  };
}

/** The file's text; empty when there is none. */
export async function readAuthorizedKeys(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}

/** Replaces fnrun's lines in the file at once, mode 0600. A file that is the same already is left alone. */
export async function writeAuthorizedKeys(
  path: string,
  { home, lines }: { home: string; lines: readonly string[] },
): Promise<void> {
  const before = await readAuthorizedKeys(path);
  const after = replaceOwnLines(before, { home, lines });
  if (before === after) return;
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  // A link is kept, and what it points to is replaced.
  const file = await realpath(path).catch(() => path);
  const temporary = `${file}.${process.pid}.new`;
  try {
    await writeFile(temporary, after, { mode: 0o600, flush: true });
    await chmod(temporary, 0o600);
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
