import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startDaemon } from '../../../cli/daemon.ts';
import type { LogRecord } from '../../../runtime/contract/log.ts';
import { eventually } from '../../support/deadline.ts';
import { commitAll, git, initRepository } from '../../support/git.ts';
import { fetchFrom, openFrom } from '../../support/http.ts';
import { makeTempDir, writeTree } from '../../support/temp-dir.ts';

test('lines of handlers can be read, filtered by function and followed', async () => {
  await using dir = await makeTempDir('fn-');
  const home = join(dir.path, 'h');
  const daemon = await startDaemon({ home, listen: null, version: '0', log: () => {} });
  await using _stop = { [Symbol.asyncDispose]: () => daemon.stop() };
  const control = { socketPath: join(home, 'run/control.sock') };
  await fetchFrom(control, { method: 'POST', path: '/v1/apps', body: '{"name":"hello"}' });
  const app = join(dir.path, 'app');
  const logging = `export default (request) => {\n  console.log('asked for', new URL(request.url).search);\n  return new Response('ok');\n};\n`;
  await writeTree(app, { 'functions/index.js': logging, 'functions/other/index.js': logging });
  await initRepository(app);
  await commitAll(app, 'Log');
  await git(app, 'push', '-q', join(home, 'apps/hello/repo.git'), 'main');

  const ask = (path: string) => fetchFrom({ socketPath: join(home, 'run/hello.sock') }, { path });
  const logs = async (query: string): Promise<LogRecord[]> => {
    const { text } = await fetchFrom(control, { path: `/v1/apps/hello/logs?${query}` });
    return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as LogRecord]));
  };
  for (const path of ['/?1', '/other?2', '/?3']) await ask(path);
  const all = await eventually(async () => {
    const records = await logs('lines=10');
    return records.length === 3 ? records : null;
  });
  expect(all.map((record) => record.message)).toEqual(['asked for ?1', 'asked for ?2', 'asked for ?3']);
  expect(all[1]).toMatchObject({ app: 'hello', function: 'other', level: 'info', requestId: expect.any(String) });
  expect((await logs('function=other')).map((record) => record.message)).toEqual(['asked for ?2']);
  expect((await logs('lines=1')).map((record) => record.message)).toEqual(['asked for ?3']);

  const leave = new AbortController();
  const { message } = await openFrom(control, { path: '/v1/apps/hello/logs?follow=1&lines=1', signal: leave.signal });
  message.on('error', () => {});
  const lines = createInterface({ input: message })[Symbol.asyncIterator]();
  const next = async () => (JSON.parse((await lines.next()).value ?? '{}') as LogRecord).message;
  expect(await next()).toBe('asked for ?3');
  await ask('/other?4');
  expect(await next()).toBe('asked for ?4');
  leave.abort();
});
