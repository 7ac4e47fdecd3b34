/**
 * The hook client: `hook.js pre-receive|post-receive SOCKET APP`, started by git for every
 * push. It asks the daemon and shows what the daemon says, nothing more. Every millisecond of
 * its start is felt in each push, so it speaks HTTP/1.0 over node:net itself (node:http costs
 * 10 to 20 ms more to load) and imports nothing but types and limits.
 */
import { connect } from 'node:net';
import type { AccountEvent, ActivateBody, ReceiveBody, RefUpdate } from '../router/control/types.ts';
import { deployLimits } from '../runtime/contract/limits.ts';

const [hook = '', socketPath = '', app = ''] = process.argv.slice(2);
const before = hook === 'pre-receive';

let input = '';
process.stdin.setEncoding('utf8');
process.stdin.on('data', (text: string) => (input += text));
process.stdin.on('end', () => ask(JSON.stringify(body(readUpdates(input)))));
// The pusher has gone: there is nobody to tell, and a refusal is the safe end.
process.stdout.on('error', () => process.exit(1));

function readUpdates(text: string): RefUpdate[] {
  const lines = text.split('\n').filter((line) => line !== '');
  if (lines.length > deployLimits.pushRefs) {
    refuse(`a push may move ${deployLimits.pushRefs} refs, this one moves ${lines.length}: push fewer at once`);
  }
  return lines.map((line) => {
    const [old = '', now = '', ref = ''] = line.split(' ');
    return { old, new: now, ref };
  });
}

function body(updates: RefUpdate[]): ReceiveBody | ActivateBody {
  const { env } = process;
  // git gives hooks no terminal: colours only for those who ask, with FORCE_COLOR=1 git push.
  const color = !env['NO_COLOR'] && !!env['FORCE_COLOR'] && env['FORCE_COLOR'] !== '0';
  const quarantine = {
    objectDirectory: env['GIT_OBJECT_DIRECTORY'] ?? '',
    alternates: env['GIT_ALTERNATE_OBJECT_DIRECTORIES'] ?? '',
    path: env['GIT_QUARANTINE_PATH'] ?? '',
  };
  return before ? { updates, quarantine, startedAtMs: performance.timeOrigin, color } : { updates, color };
}

function ask(json: string): void {
  const path = `/v1/apps/${app}/${before ? 'receive' : 'activate'}`;
  const socket = connect(socketPath);
  let text = '';
  let headRead = false;
  socket.setEncoding('utf8');
  socket.setTimeout(deployLimits.hookSilenceMs, () =>
    end(`the fnrun server has said nothing for ${deployLimits.hookSilenceMs / 1000} s`),
  );
  socket.on('error', (error: NodeJS.ErrnoException) => end(unreachable(error)));
  socket.on('close', () => end('the fnrun server has ended during the push'));
  // Set by `fnrun receive` only: whoever pushes on the server itself is its own user.
  const key = process.env['FNRUN_KEY'] ?? '';
  const keyLine = key === '' ? '' : `fnrun-key: ${key.replace(/[^0-9a-f]/g, '')}\r\n`;
  // HTTP/1.0: the answer comes without chunked framing and ends with the connection.
  socket.write(
    `POST ${path} HTTP/1.0\r\nhost: fnrun\r\n${keyLine}content-type: application/json\r\ncontent-length: ${Buffer.byteLength(json)}\r\n\r\n${json}`,
  );
  socket.on('data', (chunk: string) => {
    text += chunk;
    if (!headRead) {
      const headEnd = text.indexOf('\r\n\r\n');
      if (headEnd === -1) return;
      headRead = true;
      if (!/^HTTP\/1\.[01] 200 /.test(text)) {
        socket.on('end', () => refuse(problemLine(text.slice(headEnd + 4))));
        return;
      }
      text = text.slice(headEnd + 4);
    }
    text = showLines(text);
  });
}

/** Shows the complete lines of `text`; returns what is left. */
function showLines(text: string): string {
  const lines = text.split('\n');
  const rest = lines.pop() ?? '';
  for (const line of lines) {
    if (line === '') continue;
    const event = JSON.parse(line) as AccountEvent;
    if (event.type === 'line') process.stdout.write(`${event.text}\n`);
    else exit(event.ok || !before ? 0 : 1);
  }
  return rest;
}

function problemLine(json: string): string {
  try {
    const problem = JSON.parse(json) as { detail?: string; title?: string; hint?: string };
    const hint = problem.hint === undefined ? '' : `; ${problem.hint}`;
    return `${problem.detail ?? problem.title}${hint}`;
  } catch {
    return 'the fnrun server gave an answer that cannot be read';
  }
}

function unreachable({ code, message }: NodeJS.ErrnoException): string {
  if (code === 'EACCES') return `no permission for ${socketPath}: push as the user that runs fnrun serve`;
  const gone = code === 'ENOENT' || code === 'ECONNREFUSED';
  return gone ? 'the fnrun server is not running' : `the fnrun server cannot be reached: ${message}`;
}

/** Ends with one line: what, and what to do. */
function end(what: string): void {
  const home = socketPath.replace(/\/run\/control\.sock$/, '');
  const next = before
    ? `nothing was changed; start it with: fnrun serve --home ${home}, then push again`
    : `the push is stored and goes live when it starts: fnrun serve --home ${home}`;
  process.stdout.write(`fnrun: ${what}: ${next}\n`);
  exit(before ? 1 : 0);
}

/** Ends with the server's own refusal. */
function refuse(line: string): void {
  process.stdout.write(`fnrun: ${line}\n`);
  exit(before ? 1 : 0);
}

// When git is gone, nobody can move the ref any more; without a word to write, only this tells.
const git = process.ppid;
setInterval(() => process.ppid !== git && process.exit(1), deployLimits.hookParentMs).unref();

let exiting = false;

function exit(code: number): void {
  if (exiting) return;
  exiting = true;
  // Written to a pipe, which is asynchronous: exit when git has it all, or when it does not
  // take it any more because the pusher has gone.
  process.stdout.write('', () => process.exit(code));
  setTimeout(() => process.exit(code), deployLimits.hookFlushMs);
}
