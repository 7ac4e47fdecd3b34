import { existsSync, statSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli, startCli, type RunningCli } from '../support/cli.ts';
import { pushTree } from '../support/serve.ts';
import { makeTempDir, writeTree, type TempDir } from '../support/temp-dir.ts';

const ready = /Ctrl-C ends it/;
const handlers = {
  'functions/index.ts': [
    'export default async (request: Request) => {',
    '  const body = request.method === "POST" ? await request.text() : "";',
    '  await new Promise((done) => setTimeout(done, 5));',
    '  return Response.json({ pid: process.pid, body });',
    '};',
  ].join('\n'),
  'functions/slow/index.ts': [
    'export const config = { timeoutMs: 60_000 };',
    'export default async (request: Request) => {',
    '  await new Promise((done) => setTimeout(done, Number(new URL(request.url).searchParams.get("ms"))));',
    '  return Response.json({ pid: process.pid });',
    '};',
  ].join('\n'),
};

describe('a server that takes over from another', () => {
  let work: TempDir;
  let home: string;
  const servers: RunningCli[] = [];
  const socketPath = (): string => join(home, 'run/shop.sock');
  const start = async (): Promise<RunningCli> => {
    const args = ['serve', '--home', home, '--listen', 'none', '--take-over'];
    const server = await startCli(args, { ready });
    servers.push(server);
    return server;
  };

  beforeAll(async () => {
    work = await makeTempDir('fn-');
    home = join(work.path, 'h');
    await start();
    await runCli(['apps', 'create', 'shop', '--home', home]);
    await writeTree(join(work.path, 'shop'), handlers);
    await pushTree(join(work.path, 'shop'), join(home, 'apps/shop/repo.git'));
  });

  afterAll(async () => {
    for (const server of servers) await server.stop('SIGKILL');
    await work?.remove();
  });

  const ask = async (options: {
    path?: string;
    body?: string;
    agent?: Agent | false;
  }): Promise<{ pid: number; body: string }> => {
    const { path = '/', body, agent = false } = options;
    const method = body === undefined ? 'GET' : 'POST';
    return await new Promise((resolve, reject) => {
      const sent = request(
        { socketPath: socketPath(), path, method, agent, headers: { host: 'shop.test' } },
        (response) => {
          text(response).then((answer) => {
            if (response.statusCode === 200) resolve(JSON.parse(answer));
            else reject(new Error(`${response.statusCode} ${answer}`));
          }, reject);
        },
      );
      sent.on('error', reject);
      sent.end(body);
    });
  };

  it('serves every request of kept and of new connections, and ends no request that is under way', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 16, timeout: 60_000 });
    const pids = new Map<number, number>();
    const failures: string[] = [];
    let running = true;
    let sent = 0;
    const client = async (number: number): Promise<void> => {
      while (running) {
        const body = `${number}-${sent++}`;
        try {
          // Every other one a POST, which no proxy would send twice; every third on a connection of its own.
          const answer = await ask({ ...(sent % 2 === 0 && { body }), agent: number % 3 === 0 ? false : agent });
          pids.set(answer.pid, (pids.get(answer.pid) ?? 0) + 1);
          if (answer.body !== '' && answer.body !== body) failures.push(`${body} got ${answer.body}`);
        } catch (error) {
          failures.push(String(error));
        }
      }
    };
    const clients = Array.from({ length: 24 }, (_, number) => client(number));
    const [old] = servers;
    const { pid: oldHost } = await ask({});
    const slow = ask({ path: '/slow?ms=4000' });
    const inode = statSync(socketPath()).ino;

    const next = await start();
    expect(statSync(socketPath()).ino).not.toBe(inode);
    await next.waitFor(/takes over from the server with process/);
    const from = pids.get(oldHost) ?? 0;
    expect(from).toBeGreaterThan(0);
    expect((await ask({})).pid).not.toBe(oldHost);
    old!.child.kill('SIGTERM');
    expect(await slow).toMatchObject({ pid: oldHost });
    // Nobody holds an idle connection to it: it ends as soon as the slow one is answered.
    expect(await old!.waitForExit(30_000)).toMatchObject({ code: 0 });
    expect(() => process.kill(oldHost, 0)).toThrow(/ESRCH/);

    running = false;
    await Promise.all(clients);
    agent.destroy();
    console.log(`${sent} requests, ${failures.length} failed`);
    expect(failures).toEqual([]);
    expect([...pids.keys()]).toHaveLength(2);
    expect(existsSync(socketPath())).toBe(true);
    expect((await runCli(['ps', '--home', home])).stdout).toContain('shop');
  });

  it('is refused to nobody, and can be taken over from again', async () => {
    const before = servers.at(-1)!;
    const { pid } = await ask({});
    await start();
    expect((await ask({})).pid).not.toBe(pid);
    // By itself, with the code by which systemd knows not to start it again.
    expect(await before.waitForExit(30_000)).toMatchObject({ code: 77 });
    expect((await ask({})).pid).not.toBe(pid);
    const plain = await runCli(['serve', '--home', home, '--listen', 'none']);
    expect(plain).toMatchObject({ code: 1, stderr: expect.stringContaining('Another fnrun server') });
  });
});
