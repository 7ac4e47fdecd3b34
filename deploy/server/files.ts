import type { Machine } from './machine.ts';
import { must } from './must.ts';
import type { Change } from './step.ts';

/** A file as it shall be. */
export interface WantedFile {
  path: string;
  text: string;
  /** @default 0o644 */
  mode?: number;
  /** As chown has it. @default root:root */
  owner?: string;
  /** Its text is never shown. @default false */
  secret?: boolean;
}

// One look: mode and owner on the first line, then the text. A link is no file of ours.
const look = 'if [ -f "$1" ] && [ ! -L "$1" ]; then stat -c "%a %U:%G" -- "$1" && cat -- "$1"; else exit 44; fi';
// Written beside, then renamed: a reader never sees half of it.
const put = [
  'set -e; umask 077; mkdir -p -m 0755 -- "$(dirname -- "$1")"; cat > "$1.fnrun-new"',
  'chown -- "$3" "$1.fnrun-new"; chmod -- "$2" "$1.fnrun-new"; sync -- "$1.fnrun-new"; mv -T -- "$1.fnrun-new" "$1"',
].join('\n');

/** What has to change for the file to be as wanted; null: nothing. */
export async function checkFile(machine: Machine, wanted: WantedFile): Promise<Change | null> {
  const { path, text, mode = 0o644, owner = 'root:root', secret = false } = wanted;
  const there = await readFile(machine, path);
  const rights = `${mode.toString(8)} ${owner}`;
  if (there === null) return { subject: path, what: `write ${path}`, ...(!secret && { before: null, after: text }) };
  if (there.text !== text) {
    return { subject: path, what: `change ${path}`, ...(!secret && { before: there.text, after: text }) };
  }
  return there.rights === rights ? null : { subject: path, what: `set ${path} from ${there.rights} to ${rights}` };
}

/** Puts the file there, as a whole or not at all. */
export async function writeFile(machine: Machine, wanted: WantedFile): Promise<void> {
  const { path, text, mode = 0o644, owner = 'root:root' } = wanted;
  await must(machine, ['sh', '-c', put, 'sh', path, mode.toString(8), owner], { input: text });
}

/** A file's text, its mode in octal and its owner (`640 root:fnrun`); null: there is none. */
export async function readFile(machine: Machine, path: string): Promise<{ text: string; rights: string } | null> {
  const argv = ['sh', '-c', look, 'sh', path];
  const { code, stdout } = await machine.run(argv);
  if (code === 44) return null;
  const text = code === 0 ? stdout : await must(machine, argv);
  const end = text.indexOf('\n');
  return { rights: text.slice(0, end), text: text.slice(end + 1) };
}
