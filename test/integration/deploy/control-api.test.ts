import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startDaemon, type Daemon } from '../../../cli/daemon.ts';
import type { HealthBody } from '../../../router/control/server-types.ts';
import type { AppBody, ProcessesBody } from '../../../router/control/types.ts';
import { hostLimits } from '../../../runtime/contract/limits.ts';
import { eventually } from '../../support/deadline.ts';
import { fetchFrom, type HttpRequest, openFrom } from '../../support/http.ts';
import { makeTempDir, type TempDir } from '../../support/temp-dir.ts';

let dir: TempDir;
let daemon: Daemon;
const logged: string[] = [];

beforeAll(async () => {
  dir = await makeTempDir('fn-');
  const listen = { host: '127.0.0.1', port: 0 };
  daemon = await startDaemon({ home: join(dir.path, 'h'), listen, version: '1.2.3', log: (line) => logged.push(line) });
});

afterAll(async () => {
  await daemon.stop();
  await dir.remove();
});

const target = () => ({ socketPath: join(daemon.home, 'run/control.sock') });
const ask = (request: HttpRequest) => fetchFrom(target(), request);
const post = (path: string, body: unknown) => ask({ method: 'POST', path, body: JSON.stringify(body) });
const zero = '0'.repeat(40);
const one = '1'.repeat(40);

test('control socket is for its owner only', async () => {
  expect((await stat(join(daemon.home, 'run/control.sock'))).mode & 0o777).toBe(0o600);
});

test('GET /v1/health tells version, home and urls', async () => {
  const health = (await ask({ path: '/v1/health' })).json() as HealthBody;
  expect(health).toMatchObject({
    status: 'ok',
    version: '1.2.3',
    pid: process.pid,
    home: daemon.home,
    urls: daemon.urls,
  });
  const builds = await eventually(async () => ((await ask({ path: '/v1/health' })).json() as HealthBody).builds);
  expect(builds).toEqual({ jailed: true, wanted: true, note: expect.stringMatching(/jail of .*bwrap/) });
});

test('apps are created, shown, listed and removed', async () => {
  const created = await post('/v1/apps', { name: 'hello' });
  expect(created.status).toBe(201);
  const app = created.json() as AppBody;
  expect(app).toMatchObject({
    name: 'hello',
    repository: join(daemon.home, 'apps/hello/repo.git'),
    socket: join(daemon.home, 'run/hello.sock'),
    branch: 'main',
    live: null,
  });
  expect(app.url).toMatch(/^http:\/\/hello\.localhost:\d+\/$/);
  expect((await ask({ path: '/v1/apps/hello' })).json()).toEqual(app);
  expect((await ask({ path: '/v1/apps' })).json()).toEqual({ apps: [app] });
  const processes = (await ask({ path: '/v1/ps' })).json() as ProcessesBody;
  expect(processes.apps).toMatchObject([{ app: 'hello', state: 'stopped', release: null, stats: null }]);
  expect((await ask({ path: '/v1/apps/hello/deployments' })).json()).toEqual({ app: 'hello', deployments: [] });
  expect((await ask({ method: 'DELETE', path: '/v1/apps/hello' })).status).toBe(204);
  expect((await ask({ path: '/v1/apps' })).json()).toEqual({ apps: [] });
  await expect(stat(app.repository)).rejects.toMatchObject({ code: 'ENOENT' });
});

test.each([
  ['GET', '/v1/nothing', undefined, 404, 'FN_NOT_FOUND'],
  ['GET', '/v1/apps/nobody', undefined, 404, 'FN_NO_SUCH_APP'],
  ['DELETE', '/v1/apps/nobody', undefined, 404, 'FN_NO_SUCH_APP'],
  ['GET', '/v1/apps/nobody/logs', undefined, 404, 'FN_NO_SUCH_APP'],
  ['GET', '/v1/apps/nobody/migrations', undefined, 404, 'FN_NO_SUCH_APP'],
  ['POST', '/v1/apps/nobody/rollback', {}, 404, 'FN_NO_SUCH_APP'],
  ['POST', '/v1/apps/nobody/rollback', { release: 7 }, 404, 'FN_NO_SUCH_RELEASE'],
  ['GET', '/v1/apps/nobody/env', undefined, 404, 'FN_NO_SUCH_APP'],
  ['POST', '/v1/apps/nobody/env', { set: { A: '1' } }, 404, 'FN_NO_SUCH_APP'],
  ['POST', '/v1/apps/nobody/env', {}, 400, 'FN_BAD_REQUEST'],
  ['POST', '/v1/apps/nobody/env', { set: { A: 1 } }, 400, 'FN_BAD_REQUEST'],
  ['POST', '/v1/apps/nobody/env', { unset: 'A' }, 400, 'FN_BAD_REQUEST'],
  ['POST', '/v1/apps', { name: 'No' }, 400, 'FN_BAD_APP_NAME'],
  ['POST', '/v1/apps', { name: 7 }, 400, 'FN_BAD_REQUEST'],
  ['POST', '/v1/apps', [], 400, 'FN_BAD_REQUEST'],
  ['POST', '/v1/apps/nobody/receive', { updates: [{ old: zero, new: one, ref: '../x' }] }, 400, 'FN_BAD_REQUEST'],
  [
    'POST',
    '/v1/apps/nobody/activate',
    { updates: [{ old: zero, new: one, ref: 'refs/../../x' }] },
    400,
    'FN_BAD_REQUEST',
  ],
  [
    'POST',
    '/v1/apps/nobody/activate',
    { updates: [{ old: zero, new: one, ref: 'refs/heads/main' }] },
    404,
    'FN_NO_SUCH_APP',
  ],
])('%s %s with %j is answered by a problem', async (method, path, body, status, code) => {
  const response = await ask({ method, path, ...(body !== undefined && { body: JSON.stringify(body) }) });
  expect(response.status, response.text).toBe(status);
  expect(response.headers['content-type']).toBe('application/problem+json');
  expect(response.json()).toMatchObject({ status, code });
});

test('a body that is no JSON, or too large, is refused', async () => {
  expect((await ask({ method: 'POST', path: '/v1/apps', body: '{' })).json()).toMatchObject({ code: 'FN_BAD_REQUEST' });
  const large = 'x'.repeat(hostLimits.controlBodyBytes + 1);
  expect((await ask({ method: 'POST', path: '/v1/apps', body: [large] })).json()).toMatchObject({
    code: 'FN_BODY_TOO_LARGE',
  });
});

test('a quarantine outside the repository is refused', async () => {
  await post('/v1/apps', { name: 'quarantine' });
  const quarantine = { objectDirectory: '/etc', alternates: '', path: '/etc' };
  const body = { updates: [{ old: zero, new: one, ref: 'refs/heads/main' }], quarantine, startedAtMs: 0, color: false };
  const response = await post('/v1/apps/quarantine/receive', body);
  expect(response.json()).toMatchObject({
    code: 'FN_BAD_REQUEST',
    detail: 'The quarantine lies outside the repository: /etc',
  });
});

test('a push of a commit that is not there is rejected and recorded', async () => {
  await post('/v1/apps', { name: 'absent' });
  const quarantine = { objectDirectory: '', alternates: '', path: '' };
  const body = { updates: [{ old: zero, new: one, ref: 'refs/heads/main' }], quarantine, startedAtMs: 0, color: false };
  const response = await post('/v1/apps/absent/receive', body);
  const events = response.text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(events.at(-1)).toEqual({ type: 'end', ok: false });
  expect((await ask({ path: '/v1/apps/absent/deployments' })).json()).toMatchObject({
    deployments: [{ state: 'failed', step: 'export', commit: one, live: false }],
  });
});

test('followed logs begin at once though nothing is written, and end with the client', async () => {
  await post('/v1/apps', { name: 'quiet' });
  const leave = new AbortController();
  const { message } = await openFrom(target(), { path: '/v1/apps/quiet/logs?follow=1', signal: leave.signal });
  expect(message.statusCode).toBe(200);
  expect(message.headers['content-type']).toBe('application/x-ndjson');
  message.on('error', () => {});
  leave.abort();
});

test('bad numbers in a query are refused', async () => {
  await post('/v1/apps', { name: 'numbers' });
  for (const lines of ['x', '-1', '1e9', '99999999']) {
    expect((await ask({ path: `/v1/apps/numbers/logs?lines=${lines}` })).json()).toMatchObject({ code: 'FN_USAGE' });
  }
});

test('nothing of this went wrong inside', () => {
  // Which jail builds have is said at every start.
  expect(logged.filter((line) => !line.startsWith('builds run'))).toEqual([]);
});

test('the branch of an app is set when it is made and afterwards, and back to the default', async () => {
  const made = await post('/v1/apps', { name: 'branched', branch: 'live' });
  expect(made.json()).toMatchObject({ branch: 'live' });
  const patch = async (body: unknown) =>
    await ask({ method: 'PATCH', path: '/v1/apps/branched', body: JSON.stringify(body) });
  expect((await patch({ branch: 'release/1' })).json()).toMatchObject({ branch: 'release/1' });
  expect((await patch({})).json()).toMatchObject({ branch: 'release/1' });
  expect((await patch({ branch: 'a..b' })).json()).toMatchObject({ code: 'FN_BAD_BRANCH' });
  expect((await patch({ branch: 7 })).json()).toMatchObject({ code: 'FN_BAD_REQUEST' });
  expect((await patch({ branch: null })).json()).toMatchObject({ branch: 'main' });
});

test.each([
  ['GET', ''],
  ['GET', '/log'],
  ['GET', '/follow'],
  ['POST', '/cancel'],
])('%s of a deployment that is not there says so (%s)', async (method, path) => {
  await post('/v1/apps', { name: 'nothing' });
  for (const id of ['0123456789abcdef', 'x']) {
    const answer = await ask({ method, path: `/v1/apps/nothing/deployments/${id}${path}` });
    expect([answer.status, answer.json().code]).toEqual([404, 'FN_NO_SUCH_DEPLOYMENT']);
  }
});
