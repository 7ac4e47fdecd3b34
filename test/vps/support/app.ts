import { execFile } from 'node:child_process';
import http from 'node:http';
import https from 'node:https';
import { text } from 'node:stream/consumers';
import { TLSSocket } from 'node:tls';
import { promisify } from 'node:util';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { makeTempDir, writeTree } from '../../support/temp-dir.ts';
import { domain, sshCommand } from './provision.ts';
import type { Ran } from './programs.ts';
import { runProgram } from './programs.ts';
import type { Vm } from './vm.ts';

const pushMs = 900_000;
const answerMs = 120_000;
const execute = promisify(execFile);

/** Commits `files` and pushes them to `fnrun@vm:app`, as whoever holds the key. What git printed is on stderr. */
export async function push(
  vm: Vm,
  app: string,
  files: Readonly<Record<string, string>>,
  { as = 'admin' }: { as?: 'admin' | 'stranger' } = {},
): Promise<Ran> {
  await using folder = await makeTempDir('fnrun-push-');
  await writeTree(folder.path, files);
  const identity = ['-c', 'user.name=t', '-c', 'user.email=t@example.org'];
  const git = (...args: string[]): Promise<unknown> => execute('git', [...identity, ...args], { cwd: folder.path });
  await git('init', '-q', '-b', 'main');
  await git('add', '-A');
  await git('commit', '-qm', 'push');
  return await runProgram(['git', '-C', folder.path, 'push', '--force', `fnrun@vm:${app}`, 'main'], {
    timeoutMs: pushMs,
    env: { ...process.env, GIT_SSH_COMMAND: await sshCommand(vm, as) },
  });
}

/** An answer that came through nginx. */
export interface Answer {
  status: number;
  headers: IncomingMessage['headers'];
  body: string;
  /** Common name of the certificate's issuer. */
  issuer: string | undefined;
}

/**
 * Asks an app of the machine, by way of the forwarded port: by POST when there is a `body`. The certificate
 * is not judged.
 */
export async function ask(
  vm: Vm,
  app: string,
  path: string,
  options: { body?: string; scheme?: 'http' | 'https'; zone?: string } = {},
): Promise<Answer> {
  const { body = '', scheme = 'https', zone = domain } = options;
  const host = `${app}.${zone}`;
  const request = scheme === 'https' ? https.request : http.request;
  const sent = request({
    host: '127.0.0.1',
    port: vm.ports[scheme],
    path,
    method: body === '' ? 'GET' : 'POST',
    servername: host,
    headers: { host },
    rejectUnauthorized: false,
    agent: false,
    signal: AbortSignal.timeout(answerMs),
  }).end(body);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  const { socket } = response;
  const issuer = socket instanceof TLSSocket ? socket.getPeerCertificate().issuer : undefined;
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    body: await text(response),
    issuer: issuer?.CN as string | undefined,
  };
}
