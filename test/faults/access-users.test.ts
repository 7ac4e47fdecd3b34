import { execFile } from 'node:child_process';
import { chmod, cp, readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { eventually } from '../support/deadline.ts';
import { startMariaDb, type MariaDb } from '../support/mariadb.ts';
import { startServiceServe, type ServiceServe } from '../support/service-serve.ts';
import { makeTempDir, writeTree, type TempDir } from '../support/temp-dir.ts';
import { openSocket } from '../support/websocket.ts';
import { faultServer } from './support/fault-server.ts';
import { expectUnharmed, otherApp } from './support/record.ts';

vi.setConfig({ testTimeout: 60_000 });

/** All that Node's own permissions could refuse is allowed: what is refused, the kernel refuses. */
const everything = { childProcess: true, fsRead: ['*'], fsWrite: ['*'] };
const fixtures = join(import.meta.dirname, '../fixtures/faults');
const whoami = `import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
export default () => {
  writeFileSync(tmpdir() + '/mine', 'x');
  return Response.json({ uid: process.getuid(), gids: process.getgroups(), tmp: tmpdir(), env: process.env });
};`;
const chat = `export function websocket(socket) { socket.addEventListener('message', ({ data }) => socket.send(data)); }`;
const query = `import { pool } from 'fnrun/mysql';
export default async () => Response.json((await pool.query('SELECT CURRENT_USER() AS me'))[0]);`;
const says = 'id -u; pwd; mkdir made; touch made/it $TMPDIR/it; chmod 0 made; cat node_modules/absent || true';

let folder: TempDir;
let serve: ServiceServe;
let database: MariaDb;

const users = (): { appUsers: object } => ({ appUsers: { first: serve.firstUser, count: 20 } });
const server = () => faultServer(serve);
const who = async (app: string): Promise<{ uid: number; gids: number[]; tmp: string; env: Record<string, string> }> =>
  (await server().ask(app, { path: '/whoami' })).json() as never;
const uidOf = async (pid: number): Promise<number> =>
  Number(/^Uid:\s+(\d+)/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]);
const processesOf = async (uid: number): Promise<string[]> => {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const uids = await Promise.all(pids.map((pid) => uidOf(Number(pid)).catch(() => null)));
  return pids.filter((_, index) => uids[index] === uid);
};

describe.runIf(process.getuid?.() === 0)('each app has a user of its own', () => {
  beforeAll(async () => {
    // Apps may use /tmp, as far as Node is asked: a home that lay there would be open to them.
    vi.stubEnv('TMPDIR', '/var/tmp');
    folder = await makeTempDir('ff-');
    await chmod(folder.path, 0o755);
    [serve, database] = await Promise.all([startServiceServe(), startMariaDb()]);
    for (const app of ['calm', 'spy']) {
      const dir = join(folder.path, app);
      const of = app === 'spy' ? ['app', 'reach', 'steady'] : ['calm', 'steady'];
      const [fixture = '', ...names] = of.map((name, index) =>
        index === 0 ? `${fixtures}/${name}` : `functions/${name}`,
      );
      for (const name of names) await cp(join(fixture, name), join(dir, name), { recursive: true });
      const more = { 'whoami/index.ts': whoami, 'chat/index.ts': chat, 'query/index.ts': query };
      for (const [name, text] of Object.entries(more)) await writeTree(dir, { [`functions/${name}`]: text });
      await writeTree(dir, {
        'public/page.txt': `page of ${app}`,
        'fnrun.json': JSON.stringify({ permissions: everything }),
      });
      await serve.createApp(app);
      await serve.run('env', app, 'set', `SECRET=of-${app}`, `DATABASE_URL=${database.url}`);
      await serve.push(dir, app);
    }
  }, 120_000);
  afterAll(async () => {
    await serve?.stop();
    await database?.[Symbol.asyncDispose]();
    await folder?.remove();
    vi.unstubAllEnvs();
  });

  test('a home that was there before gets users for its apps at the next start, and keeps them', async () => {
    expect((await who('spy')).uid).toBe(serve.uid);
    await serve.restart(users());
    const [calm, spy] = [await who('calm'), await who('spy')];
    expect(spy).toMatchObject({ uid: expect.any(Number), gids: [spy.uid], env: { SECRET: 'of-spy', HOME: spy.tmp } });
    expect(new Set([calm.uid, spy.uid, serve.uid]).size).toBe(3);
    for (const { uid } of [calm, spy]) expect(uid - serve.firstUser).toBeLessThan(20);
    // A server that is killed takes its apps along, and finds what they have left.
    await serve.kill();
    await eventually(async () => (await processesOf(spy.uid)).length === 0);
    await serve.restart(users());
    expect((await who('spy')).uid).toBe(spy.uid);
    expect(await readdir(join(serve.home, 'tmp', String(spy.uid)))).toHaveLength(1);
  });

  test('15: an app reaches no file, secret, socket or process of another one or of the server', async () => {
    const { home } = serve;
    const [own, other] = ['spy', 'calm'].map((app) => `${home}/apps/${app}`);
    const reach = async (how: string, what: string | number): Promise<string> =>
      (await server().ask('spy', { path: `/reach?${how}=${encodeURIComponent(what)}` })).text;
    const { uid } = await who('calm');
    const victim = await server().pidOf('calm');
    const [release, foreign] = await Promise.all([own, other].map((root) => readlink(`${root}/live`)));
    const daemon = serve.cli.child.pid ?? 0;
    const attempts: [how: string, what: string | number][] = [
      ...['manifest.json', 'public/page.txt', 'functions'].map((name): [string, string] => [
        name === 'functions' ? 'list' : 'read',
        `${other}/${foreign}/${name}`,
      ]),
      ['read', `${other}/live/public/page.txt`],
      ['read', `${other}/repo.git/HEAD`],
      ['read', `${own}/repo.git/HEAD`],
      ...[other!, `${other}/cache`, `${home}/apps`, `${home}/run`, home, `${home}/logs`, `${home}/tmp/${uid}`].map(
        (path): [string, string] => ['list', path],
      ),
      ...['state.db', 'secret.key', 'config.json', 'logs/calm.ndjson'].map((name): [string, string] => [
        'read',
        `${home}/${name}`,
      ]),
      ...[victim, daemon].flatMap((pid): [string, string | number][] => [
        ['read', `/proc/${pid}/environ`],
        ['read', `/proc/${pid}/mem`],
        ['list', `/proc/${pid}/fd`],
        ['list', `/proc/${pid}/cwd`],
        ['kill', pid],
      ]),
      ...['control', 'calm', 'spy'].map((name): [string, string] => ['connect', `${home}/run/${name}.sock`]),
      ...[`${own}/${release}/manifest.json`, `${own}/new`, `${home}/state.db`, `${home}/tmp/${uid}/new`].map(
        (path): [string, string] => ['write', path],
      ),
      ['read', '/etc/shadow'],
    ];
    const report = await server().during(
      'spy',
      { row: 15, fault: 'reaching for what is not its own, as a user of its own' },
      async () => {
        const answers: Record<string, string> = {};
        for (const [how, what] of attempts) answers[`${how} ${what}`] = await reach(how, what);
        return { answers, ownManifest: await reach('read', `${own}/${release}/manifest.json`) };
      },
    );
    expect(report.result.ownManifest).toBe('reached');
    for (const [what, answer] of Object.entries(report.result.answers))
      expect(answer, what).toMatch(/^(EACCES|EPERM)$/);
    expectUnharmed(report, 'same app', ...otherApp);
  });

  test('its socket, static files, WebSockets and database are what they were, for the gateway and for nginx', async () => {
    const socket = await openSocket(serve.gateway, '/chat', { headers: { host: 'spy.localhost' } });
    socket.ws.send('over here');
    expect(await socket.next()).toBe('over here');
    expect((await server().ask('spy', { path: '/query' })).json()).toEqual([{ me: expect.stringMatching(/^app@/) }]);
    // What a worker process of nginx does, as Debian's www-data in the server's group.
    const nginx = ['--reuid=33', '--regid=33', `--groups=33,${serve.uid}`];
    const asNginx = async (...command: string[]): Promise<string> =>
      (await promisify(execFile)('setpriv', [...nginx, ...command])).stdout;
    expect(await asNginx('cat', `${serve.home}/apps/spy/live/public/page.txt`)).toBe('page of spy');
    const { socketPath } = serve.appSocket('spy') as { socketPath: string };
    expect(await asNginx('curl', '-s', '--unix-socket', socketPath, 'http://x/steady')).not.toBe('');
    await expect(asNginx('cat', `${serve.home}/state.db`)).rejects.toThrow('Permission denied');
  });

  test('a release command runs as the app, in a copy of its tree of which nothing is left', async () => {
    const dir = join(folder.path, 'spy');
    const { uid } = await who('spy');
    const config = { permissions: everything, release: { command: says } };
    await writeTree(dir, { 'fnrun.json': JSON.stringify(config), 'public/page.txt': 'another page' });
    const said = await serve.push(dir, 'spy');
    expect(said).toMatch(new RegExp(`^remote: +${uid} *$`, 'm'));
    expect(said).toMatch(/live +http/);
    await eventually(async () => (await readdir(join(serve.home, 'tmp', String(uid)))).length === 1);
    expect(await readdir(join(serve.home, 'apps/spy/build'))).toEqual([]);
    await serve.run('rollback', 'spy');
    expect((await who('spy')).uid).toBe(uid);
  });

  test('a preview is an app of its own, and what is removed leaves nothing', async () => {
    const dir = join(folder.path, 'spy');
    await serve.push(dir, 'spy', 'topic');
    const preview = await eventually(async () => await who('topic--spy').catch(() => null));
    expect([await who('spy'), await who('calm')].map(({ uid }) => uid)).not.toContain(preview.uid);
    // It outlives its parent and its session.
    const { pid } = await server().ps('topic--spy');
    expect(pid).not.toBeNull();
    await serve.run('apps', 'remove', 'spy');
    expect(await processesOf(preview.uid)).toEqual([]);
    expect(await readdir(join(serve.home, 'tmp'))).toEqual([String((await who('calm')).uid)]);
    await serve.createApp('fresh');
    await serve.push(dir, 'fresh');
    // Numbers that nobody had come first: what may be left of an app somewhere is nobody's for long.
    expect((await who('fresh')).uid).toBeGreaterThan(preview.uid);
  });
});
