import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir, rename, unlink } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { runCli, startCli, type RunningCli } from '../support/cli.ts';
import { eventually } from '../support/deadline.ts';
import { fetchFrom, openFrom, targetOf, type HttpResponse } from '../support/http.ts';
import { makeTempDir, writeTree } from '../support/temp-dir.ts';

interface DevApp {
  path: string;
  dev: RunningCli;
  write(files: Record<string, string>): Promise<void>;
  get(path: string): Promise<HttpResponse>;
  /** The text at `path`, once it is `wanted`. */
  becomes(path: string, wanted: string): Promise<void>;
}

/** Starts `fnrun dev` on these files; all ends with the test. */
async function startDev(files: Record<string, string>, ready: RegExp = /ready \d+ function/): Promise<DevApp> {
  const dir = await makeTempDir();
  await writeTree(dir.path, files);
  const dev = await startCli(['dev', dir.path, '--port', '0'], { ready, deadlineMs: 15_000 });
  onTestFinished(async () => {
    await dev.stop();
    await dir.remove();
  });
  const target = targetOf((await dev.waitFor(/http:\/\/[\d.]+:\d+/))[0]);
  const get = (path: string) => fetchFrom(target, { path });
  return {
    path: dir.path,
    dev,
    get,
    write: (changes) => writeTree(dir.path, changes),
    becomes: (path, wanted) => eventually(async () => (await get(path)).text === wanted).then(() => undefined),
  };
}

const answers = (text: string): string => `export default () => new Response('${text}');\n`;

test('dev serves functions and static files and prints routes with methods and each request', async () => {
  const app = await startDev({
    'functions/index.ts': answers('root'),
    'functions/users/[id]/index.ts': `export const GET = (_r: Request, ctx: any) => Response.json(ctx.params);
      export const POST = GET;`,
    'public/hello.txt': 'static',
  });
  expect(app.dev.output()).toMatch(/GET,POST +\/users\/:id +functions\/users\/\[id\]\/index\.ts/);
  expect(app.dev.output()).toMatch(/any +\/ +functions\/index\.ts/);
  expect((await app.get('/')).text).toBe('root');
  expect((await app.get('/users/7')).json()).toEqual({ id: '7' });
  expect((await app.get('/hello.txt')).text).toBe('static');
  await app.dev.waitFor(/GET \/users\/7 200 [\d.]+ ms/);
});

test('dev answers with the new code after a save, also by rename, and with a new and a removed function', async () => {
  const app = await startDev({ 'functions/index.ts': answers('one') });
  await app.write({ 'functions/index.ts': answers('two') });
  await app.becomes('/', 'two');
  await app.write({ 'other.ts': answers('three') });
  await rename(join(app.path, 'other.ts'), join(app.path, 'functions/index.ts'));
  await app.becomes('/', 'three');
  await app.write({ 'functions/more/index.ts': answers('more') });
  await app.becomes('/more', 'more');
  await app.dev.waitFor(/any +\/more +functions\/more\/index\.ts/);
  await unlink(join(app.path, 'functions/more/index.ts'));
  await eventually(async () => (await app.get('/more')).status === 404);
});

test('dev goes on serving the last good build while one fails, and says what is wrong', async () => {
  const app = await startDev({ 'functions/index.ts': answers('good') });
  await app.write({ 'functions/index.ts': 'export default () => new Response(;\n' });
  await app.dev.waitFor(/functions\/index\.ts:1:3\d/);
  await app.dev.waitFor(/build failed, still serving the last good build/);
  expect((await app.get('/')).text).toBe('good');
  await app.write({ 'functions/index.ts': answers('mended') });
  await app.becomes('/', 'mended');
});

test('dev warns once of a setting that it does not know', async () => {
  const app = await startDev({ 'functions/index.ts': `${answers('one')}export const config = { runtime: 'edge' };\n` });
  await app.dev.waitFor(/warning index: .*runtime/);
  await app.write({ 'functions/index.ts': `${answers('two')}export const config = { runtime: 'edge' };\n` });
  await app.becomes('/', 'two');
  expect(app.dev.output().match(/warning index: .*runtime/g)).toHaveLength(1);
});

test('dev misses no save when saves follow each other closely', async () => {
  const app = await startDev({ 'functions/index.ts': answers('0') });
  for (let save = 1; save <= 20; save++) {
    const from = app.dev.output().length;
    await app.write({ 'functions/index.ts': answers(String(save)) });
    await app.dev.waitFor(/reloaded/, { from });
  }
  expect((await app.get('/')).text).toBe('20');
});

test('dev keeps the last good build when the new code does not load', async () => {
  const app = await startDev({ 'functions/index.ts': answers('good') });
  await app.write({ 'functions/index.ts': `${answers('bad')}throw new Error('at load');\n` });
  await app.dev.waitFor(/functions\/index\.ts:2:\d+/);
  await app.dev.waitFor(/at load/);
  await app.dev.waitFor(/still serving the last good build/);
  expect((await app.get('/')).text).toBe('good');
});

test('dev stays up when the first build fails and answers 503 with the problems until it is mended', async () => {
  const app = await startDev(
    { 'functions/index.ts': "import './missing.ts';\n" },
    /answering 503 until this is mended/,
  );
  const response = await app.get('/');
  expect(response.status).toBe(503);
  expect(response.headers['content-type']).toBe('application/problem+json');
  expect(response.json().detail).toContain('missing.ts');
  await app.write({ 'functions/index.ts': answers('mended') });
  await app.becomes('/', 'mended');
});

test('dev gives functions the variables of .env and takes its changes', async () => {
  const app = await startDev({
    '.env': 'GREETING=hello\n',
    'functions/index.ts': 'const { GREETING } = process.env;\nexport default () => new Response(String(GREETING));\n',
  });
  expect((await app.get('/')).text).toBe('hello');
  await app.write({ '.env': 'GREETING="good day"\n' });
  await app.becomes('/', 'good day');
  await unlink(join(app.path, '.env'));
  await app.becomes('/', 'undefined');
});

test('dev ends every process and removes its releases at Ctrl-C, also with an open stream', async () => {
  const app = await startDev({
    'functions/index.ts': 'export default () => new Response(String(process.pid));\n',
    'functions/stream/index.ts':
      'export default () => new Response(new ReadableStream({ start(c) { c.enqueue("x"); } }));\n',
  });
  const pid = Number((await app.get('/')).text);
  expect(pid).not.toBe(app.dev.child.pid);
  const url = (await app.dev.waitFor(/http:\/\/[\d.]+:\d+/))[0];
  const { message } = await openFrom(targetOf(url), { path: '/stream' });
  message.on('error', () => undefined);
  const { code } = await app.dev.stop('SIGINT');
  expect(code).toBe(0);
  await eventually(() => !existsSync(`/proc/${pid}`));
  expect(await readdir(join(app.path, '.fnrun/dev'))).toEqual([]);
});

test('dev names the port and the option when the port is taken', async () => {
  await using dir = await makeTempDir();
  await writeTree(dir.path, { 'functions/index.ts': answers('x') });
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const { code, stderr } = await runCli(['dev', dir.path, '--port', String(port)]);
  server.close();
  expect(code).toBe(1);
  expect(stderr).toBe(
    `fnrun: Cannot listen on 127.0.0.1:${port}: the port is taken; take another: --port ${port + 1}, or --port 0 for any\n`,
  );
});

test('dev says so when there is no such folder', async () => {
  const { code, stderr } = await runCli(['dev', '/nonexistent/app']);
  expect(code).toBe(2);
  expect(stderr).toBe('fnrun: /nonexistent/app is no folder; make an app with: fnrun init\n');
});
