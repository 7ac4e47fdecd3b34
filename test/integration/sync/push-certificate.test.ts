import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { SyncOutcome } from '../../../router/control/domain-types.ts';
import { hasAddress } from '../../../deploy/sync/certificates/lookup.ts';
import { createCertificatesPart } from '../../../deploy/sync/certificates/part.ts';
import { eventually } from '../../support/deadline.ts';
import { freePort } from '../../support/nginx.ts';
import { startPebble, type Pebble } from '../../support/pebble.ts';
import { pushTree, startServe, type Serve } from '../../support/serve.ts';
import { readOutcome, startSynced, type SyncedServer } from '../../support/sync.ts';
import { makeTempDir, writeTree } from '../../support/temp-dir.ts';

vi.setConfig({ testTimeout: 120_000 });

let serve: Serve;
let pebble: Pebble;
let server: SyncedServer;
/** The CA's root. */
let ca: string;
/** Root's runs that are over. */
let runs = 0;
const over = new AbortController();
let following: Promise<void>;

beforeAll(async () => {
  serve = await startServe();
  const httpPort = await freePort();
  pebble = await startPebble({ httpPort });
  ca = await pebble.root();
  server = await startSynced(serve.home, {
    server: { domain: 'apps.test', acmeDirectory: pebble.directory },
    httpPort,
  });
  following = follow();
}, 120_000);

afterAll(async () => {
  over.abort();
  pebble?.resume();
  await following;
  await server?.[Symbol.asyncDispose]();
  await pebble?.[Symbol.asyncDispose]();
  await serve?.stop();
});

/** As the units do: root runs at first, and when the daemon has asked. */
async function follow(): Promise<void> {
  const certificates = createCertificatesPart({
    store: server.certificates,
    webroot: server.acme,
    hasAddress: async (name) => await hasAddress(name, { servers: [pebble.dns] }),
  });
  let seen = -1;
  while (!over.signal.aborted) {
    if ((await requested()) === seen) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      continue;
    }
    seen = (await server.sync({ slow: [certificates] })).request;
    runs += 1;
  }
}

/** Makes an app with a name of its own beside `<app>.apps.test`, and pushes it. Resolves to what the pusher was told. */
async function push(app: string): Promise<string> {
  await using tree = await makeTempDir();
  return await pushFrom(tree.path, await serve.createApp(app), { domains: [`${app}.test`] });
}

async function pushFrom(
  dir: string,
  remote: string,
  { words = 'words', domains = [] as string[] } = {},
): Promise<string> {
  await writeTree(dir, {
    'functions/index.ts': `export default () => new Response(${JSON.stringify(words)});`,
    'fnrun.json': JSON.stringify({ domains }),
  });
  return (await pushTree(dir, remote)).output;
}

/** The newest request to root. */
const requested = async (): Promise<number> =>
  Number(await readFile(join(serve.home, 'run/sync'), 'utf8').catch(() => '0'));

/** Root has done all that it was asked. */
const idle = async (): Promise<boolean> =>
  await eventually(async () => (await requested()) === (await readOutcome(serve.home)).request, { deadlineMs: 60_000 });

/** What root did last for nginx. */
const readServed = async (): Promise<SyncOutcome> =>
  JSON.parse(await readFile(join(serve.home, 'run/sync-served.json'), 'utf8')) as SyncOutcome;

async function isTrusted(name: string): Promise<boolean> {
  const { host, port } = server.nginx.https;
  return await new Promise((resolve, reject) => {
    const socket = connect({ host, port, servername: name, ca, rejectUnauthorized: false }, () => {
      resolve(socket.authorized);
      socket.destroy();
    }).once('error', reject);
  });
}

test('a push hears of its certificate, and no app waits for the certificate of another', async () => {
  for (const name of ['first', 'repeated', 'last', 'second', 'third']) {
    await pebble.setAddress(`${name}.test`, '127.0.0.1');
    await pebble.setAddress(`${name}.apps.test`, '127.0.0.1');
  }
  await eventually(() => runs > 0);
  // A push waits for its certificate for a few seconds only, and says nothing of one that was there before it looked: on a
  // busy machine either may be so once, not three times.
  for (const app of ['first', 'repeated', 'last']) {
    const told = await push(app);
    if (/its certificate is not there yet/.test(told) && app !== 'last') continue;
    expect(await isTrusted(`${app}.test`)).toBe(true);
    if (!told.includes('certificate') && app !== 'last') continue;
    expect(told).toMatch(/nginx +has its site \([^]*certificate +is there \([^]*live /);
    break;
  }

  // The CA hangs: root is at the certificate of the second app when the third one comes.
  await idle();
  const { request } = await readOutcome(serve.home);
  pebble.pause();
  const second = await push('second');
  expect(second).toMatch(
    /nginx +has its site \([^]*waiting +for its certificate[^]*note +its certificate is not there yet.*fnrun domains second[^]*live /,
  );
  const before = runs;
  // Nothing that nginx must know comes with the push: it has had the app since that was made.
  const ofThird = await serve.createApp('third');
  await eventually(async () => (await requested()) === (await readServed()).request);
  await using thirdTree = await makeTempDir();
  const third = await pushFrom(thirdTree.path, ofThird);
  expect(third).not.toContain('for nginx to have its site');
  expect(third).toMatch(/waiting +for its certificate[^]*note +its certificate is not there yet/);
  expect((await readOutcome(serve.home)).request).toBe(request);
  expect(runs).toBe(before);
  expect(await isTrusted('third.apps.test')).toBe(false);

  pebble.resume();
  await eventually(async () => (await isTrusted('second.test')) && (await isTrusted('third.apps.test')), {
    deadlineMs: 60_000,
  });
  await idle();
  // One whose name leads nowhere hears that, at once and when root was done before the push.
  expect(await push('lost')).toMatch(/nginx +has its site[^]*warning +certificate: lost\.test: DNS has no address/);
  await idle();
  const remote = await serve.createApp('plain');
  await idle();
  const words = /nginx +has its site[^]*warning +certificate: plain\.apps\.test: DNS has no address/;
  await using tree = await makeTempDir();
  expect(await pushFrom(tree.path, remote)).toMatch(words);
  // Said once.
  expect(await pushFrom(tree.path, remote, { words: 'others' })).not.toContain('DNS has no address');
});
