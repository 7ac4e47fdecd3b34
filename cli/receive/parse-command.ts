import { isAppName } from '../../deploy/app-name.ts';
import type { GitService } from '../../router/control/key-types.ts';
import { keyLimits } from '../../runtime/contract/limits.ts';

/** What somebody wants who has come in by a key. */
export type SshRequest =
  | { kind: 'git'; service: GitService; app: string }
  /** A command of the CLI; `args` null: they come on standard input. */
  | { kind: 'cli'; args: string[] | null }
  /** `why` is the beginning of a sentence. */
  | { kind: 'refused'; why: string };

/** How the CLI on another machine asks: its arguments are in the first line of standard input. */
export const argumentsOnStdin = 'fnrun --args-from-stdin';

// As git quotes it: single quotes around a path that, for an app, has nothing in it to escape.
const gitCommand = /^git-(receive-pack|upload-pack) '([^']*)'$/;

/** Reads SSH_ORIGINAL_COMMAND; undefined when a shell was asked for. Whatever is not exactly one of ours is refused. */
export function parseSshCommand(command: string | undefined): SshRequest {
  if (command === undefined || command === '') return { kind: 'refused', why: 'there is no shell here' };
  if (command.length > keyLimits.commandChars) return { kind: 'refused', why: 'the command is too long' };
  // oxlint-disable-next-line no-control-regex
  if (/[\0-\x1f\x7f]/.test(command)) return { kind: 'refused', why: 'the command holds control characters' };
  const git = gitCommand.exec(command);
  if (git !== null) {
    const app = appOfPath(git[2] ?? '');
    if (app !== null) return { kind: 'git', service: git[1] as GitService, app };
    return { kind: 'refused', why: 'the path of a repository is /APP or /APP.git' };
  }
  if (command === argumentsOnStdin) return { kind: 'cli', args: null };
  if (/^git[- ]/.test(command)) return { kind: 'refused', why: 'of git there is push, fetch and clone here' };
  if (/(?:^|\/)(?:internal-sftp|sftp-server)\b|^scp /.test(command)) {
    return { kind: 'refused', why: 'files are not copied here' };
  }
  const words = /^fnrun(?: |$)/.test(command) ? splitWords(command) : null;
  if (words !== null) return { kind: 'cli', args: words.slice(1) };
  return { kind: 'refused', why: command.startsWith('fnrun ') ? oddQuotes : 'this is no command of fnrun' };
}

const oddQuotes = "in a command there are plain words and words in single quotes ('…') only";

/** `shop` for `shop`, `shop.git`, `/shop` and `/shop.git`; null for anything else. */
export function appOfPath(path: string): string | null {
  const name = path.replace(/^\//, '').replace(/\.git$/, '');
  return isAppName(name) ? name : null;
}

/**
 * Words of plain characters and of parts in single quotes, as quoteWord makes them; null for any other quoting. There
 * is no shell that reads them again, so what would be special to one is either plain text or refused.
 */
function splitWords(command: string): string[] | null {
  const word = /(?:[\w@%+=:,./[\]~^-]|'[^']*'|\\')+/y;
  const words: string[] = [];
  if (command.endsWith(' ')) return null;
  for (let at = 0; at < command.length; at = word.lastIndex + 1) {
    word.lastIndex = at;
    const [found] = word.exec(command) ?? [];
    if (found === undefined || !['', ' '].includes(command.charAt(word.lastIndex))) return null;
    words.push(
      found.replace(/'([^']*)'|\\'/g, (part, inner: string | undefined) => (part === "\\'" ? "'" : (inner ?? ''))),
    );
  }
  return words;
}
