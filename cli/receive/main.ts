import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { errorCatalogue, FnrunError } from '../../runtime/contract/errors.ts';
import type { AccessBody, GitService, OpenedBody } from '../../router/control/key-types.ts';
import { askControl } from './ask-control.ts';
import { becomeGit } from './become-git.ts';
import { parseSshCommand } from './parse-command.ts';
import { type LoadCli, runCommand } from './run-command.ts';

// An entry of its own beside cli/main.ts, bundled into one file: git waits for it in every push, and each file that a
// program is made of costs a millisecond. The CLI is handed in, and loaded for a command only.

/** Whose request it is, and where the server is. */
interface Session {
  key: string;
  home: string;
}

/** `fnrun receive --key ID --home DIR`, the forced command of a key. Resolves to the exit code. Never throws. */
export async function main(args: readonly string[], loadCli: LoadCli): Promise<number> {
  try {
    const session = readSession(args.slice(1));
    const { env } = process;
    const request = parseSshCommand(env['SSH_ORIGINAL_COMMAND']);
    if (request.kind === 'refused') return await refuse(session, request.why);
    if (request.kind === 'git') return await serveGit(session, request);
    return await runCommand({ ...session, args: request.args, loadCli });
  } catch (error) {
    const { message, hint, code } = error instanceof FnrunError ? error : { ...internal, message: String(error) };
    say(`${message}${hint === null ? '' : `; ${hint}`}`);
    return errorCatalogue[code].exitCode;
  }
}

const internal = { code: 'FN_INTERNAL', hint: 'see the log of the server' } as const;

function readSession(args: string[]): Session {
  const options = { key: { type: 'string' }, home: { type: 'string' } } as const;
  const { values } = parseArgs({ args, options });
  if (!/^[0-9a-f]{16}$/.test(values.key ?? '') || !values.home?.startsWith('/')) {
    throw new FnrunError('FN_USAGE', 'fnrun receive is what sshd runs for a key that fnrun keys has added', {
      hint: 'usage: fnrun receive --key ID --home DIR',
    });
  }
  return { key: values.key!, home: values.home };
}

async function serveGit(session: Session, { service, app }: { service: GitService; app: string }): Promise<number> {
  const opened = await askControl<OpenedBody>({
    ...question(session),
    method: 'POST',
    path: `/v1/apps/${app}/open`,
    body: { service },
  });
  if (opened.created) say(`made the app ${app}`);
  return becomeGit({ service, repository: opened.repository, key: session.key, env: process.env });
}

/** Says in one line why not, and what can be done with this key. */
async function refuse(session: Session, why: string): Promise<number> {
  const { key, may } = await askControl<AccessBody>({ ...question(session), method: 'GET', path: '/v1/access' });
  say(`${why}; the key ${JSON.stringify(key?.name)} ${may}: git push, git clone, and fnrun COMMAND about apps`);
  return errorCatalogue.FN_FORBIDDEN.exitCode;
}

function question({ key, home }: Session): { key: string; socketPath: string } {
  return { key, socketPath: join(home, 'run/control.sock') };
}

function say(line: string): void {
  process.stderr.write(`fnrun: ${line}\n`);
}
