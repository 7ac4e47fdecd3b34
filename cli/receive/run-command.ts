import { once } from 'node:events';
import { FnrunError } from '../../runtime/contract/errors.ts';
import { keyLimits } from '../../runtime/contract/limits.ts';
import type { RemoteRequest } from '../remote/request.ts';

/** Loads cli/main.ts. */
export type LoadCli = () => Promise<{
  main: (args: readonly string[], options: { env: NodeJS.ProcessEnv; served: { color: boolean } }) => Promise<number>;
}>;

/** A command of the CLI that has come by a key. */
export interface ReceivedCommand {
  key: string;
  /** Absolute path of the server's folder. */
  home: string;
  /** Null: they come on standard input. */
  args: string[] | null;
  loadCli: LoadCli;
}

/** Runs a command for a key in this process, and resolves to its exit code. */
export async function runCommand({ key, home, args, loadCli }: ReceivedCommand): Promise<number> {
  const request = args === null ? await readRequest() : { args, color: false, input: true };
  // Every client of the control API in this process speaks for the key from here on.
  process.env['FNRUN_KEY'] = key;
  watchOtherEnd(request);
  const { main } = await loadCli();
  const env: NodeJS.ProcessEnv = { ...process.env, FNRUN_HOME: home };
  delete env['FNRUN_DEBUG'];
  const code = await main(request.args, { env, served: { color: request.color } });
  // sshd gives pipes: what has not left them yet would be lost with the process.
  for (const stream of [process.stdout, process.stderr]) await new Promise((resolve) => stream.write('', resolve));
  return code;
}

/** Ends the command as a hang-up of a terminal would, when the other end is gone. */
function watchOtherEnd({ input }: { input: boolean }): void {
  const hangUp = (): boolean => process.kill(process.pid, 'SIGHUP');
  // The CLI keeps its end open while it waits, and needs no answer to see that it is closed.
  if (!input) process.stdin.once('end', hangUp).once('error', hangUp).resume();
  // Others may end their input early (ssh -n), and the output of a silent log fails only when there is some. But sshd's
  // process for the connection, which is the parent of this one, ends with the connection.
  const parent = process.ppid;
  const probe = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(probe);
    hangUp();
  }, keyLimits.hangUpProbeMs);
  probe.unref();
}

/** Reads the first line of standard input and leaves the rest to the command. */
async function readRequest(): Promise<RemoteRequest> {
  const { stdin } = process;
  const signal = AbortSignal.timeout(keyLimits.requestMs);
  let bytes = Buffer.alloc(0);
  for (;;) {
    const end = bytes.indexOf('\n');
    if (end !== -1) {
      stdin.unshift(bytes.subarray(end + 1));
      return parseRequest(bytes.subarray(0, end).toString('utf8'));
    }
    if (bytes.length > keyLimits.requestBytes) throw unreadable('they are too long');
    const chunk = stdin.read() as Buffer | null;
    if (chunk !== null) bytes = Buffer.concat([bytes, chunk]);
    else if (stdin.readableEnded) throw unreadable('they are not whole');
    else await Promise.race([once(stdin, 'readable', { signal }), once(stdin, 'end', { signal })]);
  }
}

function parseRequest(text: string): RemoteRequest {
  let value: Partial<RemoteRequest> | null;
  try {
    value = JSON.parse(text) as Partial<RemoteRequest> | null;
  } catch {
    throw unreadable('they are no JSON');
  }
  const { args, color, input } = value ?? {};
  if (!Array.isArray(args) || !args.every((arg) => typeof arg === 'string')) throw unreadable('there are none');
  return { args, color: color === true, input: input === true };
}

function unreadable(why: string): FnrunError {
  return new FnrunError('FN_USAGE', `The arguments on standard input cannot be read: ${why}`, {
    hint: 'use the same version of fnrun on both sides',
  });
}
