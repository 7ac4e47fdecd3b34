import { Agent } from 'node:http';
import type { Socket } from 'node:net';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { runCli } from '../support/cli.ts';
import { fetchFrom, type HttpTarget } from '../support/http.ts';
import { pushTree, startServe, type Serve } from '../support/serve.ts';
import { makeTempDir, writeTree, type TempDir } from '../support/temp-dir.ts';

// Real servers and real transfers, on machines that may be busy.
vi.setConfig({ testTimeout: 60_000 });

const connections = 8;
const streamChunks = 8;

let folder: TempDir;
let serve: Serve;
let remote: string;

beforeAll(async () => {
  serve = await startServe();
  folder = await makeTempDir();
  remote = await serve.createApp('switch');
  await push('v1');
}, 60_000);

afterAll(async () => {
  await serve?.stop();
  await folder?.remove();
});

async function push(version: string): Promise<void> {
  await writeTree(folder.path, {
    'functions/version/index.ts': `
      const version = '${version}' + (process.env.MARK ?? '');
      export const GET = () => new Response(version);
      export const POST = async (request: Request) => new Response(version + ' ' + (await request.text()));`,
    'functions/slow/index.ts': `
      export const GET = async () => {
        await new Promise((resolve) => setTimeout(resolve, 30));
        return new Response('${version}' + (process.env.MARK ?? ''));
      };`,
    'functions/stream/index.ts': `
      const version = '${version}' + (process.env.MARK ?? '');
      export const GET = () => {
        let left = ${streamChunks};
        const pull = async (controller: ReadableStreamDefaultController) => {
          if (left-- === 0) return controller.close();
          await new Promise((resolve) => setTimeout(resolve, 5));
          controller.enqueue(new TextEncoder().encode(version + '|'));
        };
        return new Response(new ReadableStream({ pull }));
      };`,
  });
  await pushTree(folder.path, remote);
}

/** The version of a streamed response; null when it is none, or not whole, or two versions had a part in it. */
function wholeStream(text: string): string | null {
  const [version = '', ...rest] = text.split('|');
  return text === `${version}|`.repeat(streamChunks) && rest.length > 0 ? version : null;
}

interface Load {
  /** Status and first word of the body → how often. */
  answers: Record<string, number>;
  /** Connections that were opened. */
  opened: number;
}

/** Keeps eight connections busy until `change` is done and at least `least` requests were answered. */
async function loadDuring(
  target: HttpTarget,
  { least, change }: { least: number; change: () => Promise<void> },
): Promise<Load> {
  const sockets = new Set<Socket>();
  const answers: Record<string, number> = {};
  let total = 0;
  let done = false;
  let begun: () => void = () => {};
  const flowing = new Promise<void>((resolve) => (begun = resolve));
  const changed = flowing.then(change).then(() => (done = true));

  const client = async (index: number) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    agent.on('free', (socket: Socket) => void sockets.add(socket));
    for (let i = 0; !done || total < least; i++) {
      const kind = (i + index) % 4;
      const request = [
        { path: '/version' },
        { method: 'POST', path: '/version', body: 'content' },
        { path: '/slow' },
        { path: '/stream' },
      ][kind] ?? { path: '/version' };
      const key = await fetchFrom(target, { ...request, headers: [['Host', 'switch.localhost']], agent }).then(
        ({ status, text }) => `${status} ${wholeStream(text) ?? text.split(' ')[0]}`,
        (error: Error) => error.message,
      );
      answers[key] = (answers[key] ?? 0) + 1;
      if (++total === least / 4) begun();
    }
    agent.destroy();
  };
  await Promise.all([changed, ...Array.from({ length: connections }, (_, index) => client(index))]);
  return { answers, opened: sockets.size };
}

test.each([
  { way: 'gateway', version: 'v2' },
  { way: 'socket', version: 'v3' },
])('1,000 keep-alive requests through $way see no failure when a push switches', async ({ way, version }) => {
  const target = way === 'gateway' ? serve.gateway : serve.appSocket('switch');
  const before = (await fetchFrom(target, { path: '/version', headers: [['Host', 'switch.localhost']] })).text;
  const { answers, opened } = await loadDuring(target, { least: 1_000, change: () => push(version) });
  expect(Object.keys(answers).toSorted()).toEqual([`200 ${before}`, `200 ${version}`]);
  expect(opened).toBe(connections);
});

test('1,000 keep-alive requests see no failure when a rollback switches', async () => {
  const target = serve.appSocket('switch');
  const rollback = async () => {
    const { code, stderr } = await runCli(['rollback', 'switch', '--home', serve.home]);
    expect(stderr).toBe('');
    expect(code).toBe(0);
  };
  const { answers, opened } = await loadDuring(target, { least: 1_000, change: rollback });
  expect(Object.keys(answers).toSorted()).toEqual(['200 v2', '200 v3']);
  expect(opened).toBe(connections);
});

test('1,000 keep-alive requests see no failure and no other process when a variable is set', async () => {
  const hostPid = async (): Promise<unknown> => {
    const { stdout } = await runCli(['ps', 'switch', '--json', '--home', serve.home]);
    return (JSON.parse(stdout) as { pid: unknown }).pid;
  };
  const before = await hostPid();
  const set = async () => {
    const { code, stderr } = await runCli(['env', 'switch', 'set', 'MARK=-marked', '--home', serve.home]);
    expect([stderr, code]).toEqual(['', 0]);
  };
  const { answers, opened } = await loadDuring(serve.appSocket('switch'), { least: 1_000, change: set });
  expect(Object.keys(answers).toSorted()).toEqual(['200 v2', '200 v2-marked']);
  expect(opened).toBe(connections);
  expect(await hostPid()).toBe(before);
});
