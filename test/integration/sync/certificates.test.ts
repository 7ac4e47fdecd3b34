import { connect } from 'node:tls';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { hasAddress } from '../../../deploy/sync/certificates/lookup.ts';
import { createCertificatesPart } from '../../../deploy/sync/certificates/part.ts';
import type { SiteBody, SyncOutcome } from '../../../router/control/domain-types.ts';
import { startPebble, type Pebble } from '../../support/pebble.ts';
import { freePort } from '../../support/nginx.ts';
import { problemsOf, startSynced, type SyncedServer } from '../../support/sync.ts';
import { makeTempDir, type TempDir } from '../../support/temp-dir.ts';
import { startUpstream, type Upstream } from '../nginx/upstream.ts';

vi.setConfig({ testTimeout: 120_000 });

let home: TempDir;
let pebble: Pebble;
let server: SyncedServer;
let upstream: Upstream;
let aheadMs = 0;

beforeAll(async () => {
  home = await makeTempDir('fn-');
  await mkdir(join(home.path, 'run'), { recursive: true });
  upstream = await startUpstream(home.path, 'shop', (_, res) => res.end('shop'));
  const httpPort = await freePort();
  pebble = await startPebble({ httpPort });
  const now = (): number => Date.now() + aheadMs;
  server = await startSynced(home.path, {
    server: { domain: 'apps.test', acmeDirectory: pebble.directory },
    now,
    httpPort,
  });
  await pebble.setAddress('shop.apps.test', '127.0.0.1');
  await pebble.setAddress('good.test', '127.0.0.1');
  // Nobody listens there.
  await pebble.setAddress('elsewhere.test', '127.0.0.2');
}, 120_000);

afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  await pebble?.[Symbol.asyncDispose]();
  await upstream?.[Symbol.asyncDispose]();
  await home?.remove();
});

const site = (domains: SiteBody['domains']): SiteBody => {
  const limits = { hasPublic: false, maxBodyBytes: 1000, timeoutMs: 1000, rateLimit: null };
  return { app: 'shop', domains, taken: [], previews: [], ...limits };
};
const asked = (name: string, askedAtMs: number | null = null) => ({ name, askedAtMs });

async function sync(domains: SiteBody['domains'], previews: SiteBody['previews'] = []): Promise<SyncOutcome> {
  const certificates = createCertificatesPart({
    store: server.certificates,
    webroot: server.acme,
    hasAddress: async (name) => await hasAddress(name, { servers: [pebble.dns] }),
    previewsPerWeek: 1,
  });
  return await server.sync({
    slow: [certificates],
    ask: async () => ({ sites: [{ ...site(domains), previews }] }),
  });
}

/** A GET over TLS on a connection of its own; the root is pebble's. */
async function getTls(
  name: string,
  ca: string,
): Promise<{ trusted: boolean; issuer: string; serial: string; answer: string }> {
  return await new Promise((resolve, reject) => {
    const { host, port } = server.nginx.https;
    const socket = connect({ host, port, servername: name, ca, rejectUnauthorized: false }, () => {
      const { issuer, serialNumber: serial } = socket.getPeerCertificate();
      let answer = '';
      socket.setEncoding('utf8').on('data', (part: string) => void (answer += part));
      socket.once('end', () => resolve({ trusted: socket.authorized, issuer: String(issuer.CN), serial, answer }));
      socket.write(`GET / HTTP/1.1\r\nHost: ${name}\r\nConnection: close\r\n\r\n`);
    });
    socket.once('error', reject);
  });
}

test('each name gets its certificate, one that leads elsewhere keeps none from the others, and renewal drops no request', async () => {
  const domains = [asked('good.test'), asked('elsewhere.test'), asked('nowhere.test')];
  const ca = await pebble.root();

  // At once, by itself: the one that nobody signed.
  await server.sync({ ask: async () => ({ sites: [site(domains)] }) });
  expect(await getTls('good.test', ca)).toMatchObject({ trusted: false, issuer: expect.stringContaining('fnrun') });

  const first = await sync(domains);
  expect(problemsOf(first)).toEqual([
    expect.stringMatching(
      /elsewhere\.test: the CA cannot connect to elsewhere\.test on port 80; the CA said: .*127\.0\.0\.2/,
    ),
    expect.stringContaining('nowhere.test: DNS has no address for nowhere.test'),
  ]);
  const good = await getTls('good.test', ca);
  expect(good).toMatchObject({ trusted: true, issuer: expect.stringContaining('Pebble') });
  expect(good.answer).toMatch(/^HTTP\/1.1 200[^]*shop$/);
  const own = await getTls('shop.apps.test', ca);
  expect(own.trusted).toBe(true);
  expect(own.serial).not.toBe(good.serial);
  expect((await getTls('elsewhere.test', ca)).trusted).toBe(false);
  const shown = first.parts.find(({ id }) => id === 'certificates')!.certificates!;
  expect(shown['good.test']!.issuer).toContain('Pebble');
  expect(shown['elsewhere.test']!.issuer).toBe(null);

  // Nothing is due, and the one that failed has its pause, until somebody asks.
  const reloads = server.reloads;
  const again = await sync(domains);
  expect(again.parts.flatMap(({ changed }) => changed)).toEqual([]);
  expect(server.reloads).toBe(reloads);
  await pebble.setAddress('nowhere.test', '127.0.0.1');
  expect(problemsOf(await sync(domains))).toEqual([expect.stringContaining('elsewhere.test')]);
  expect((await getTls('nowhere.test', ca)).trusted).toBe(true);

  // Two thirds of their time later, with requests all along.
  const { startsAtMs, expiresAtMs } = (await server.certificates.get('good.test'))!;
  aheadMs = (expiresAtMs - startsAtMs) * 0.7;
  let on = true;
  const seen: string[] = [];
  const load = (async () => {
    while (on) {
      const { trusted, answer } = await getTls('good.test', ca);
      seen.push(`${trusted} ${answer.slice(9, 12)}`);
    }
  })();
  const renewed = await sync(domains);
  on = false;
  await load;
  expect(renewed.parts[1]!.changed).toContain('got a certificate for good.test');
  expect(seen.length).toBeGreaterThan(2);
  expect(seen.filter((one) => one !== 'true 200')).toEqual([]);
  const now = await getTls('good.test', ca);
  expect([now.trusted, now.serial === good.serial]).toEqual([true, false]);
});

test('previews get so many certificates in a week, and the app its own all the same', async () => {
  aheadMs = 0;
  const previews = ['one--shop', 'two--shop'];
  for (const name of [...previews, 'late']) await pebble.setAddress(`${name}.apps.test`, '127.0.0.1');
  await pebble.setAddress('late.test', '127.0.0.1');
  const first = await sync([asked('late.test')], previews);
  expect(JSON.stringify(first)).toMatch(
    /got a certificate for late\.test.*got a certificate for one--shop\.apps\.test/,
  );
  expect(problemsOf(first)).toEqual([
    expect.stringMatching(/two--shop\.apps\.test.*as many certificates as they get in a week/),
  ]);
  aheadMs += 8 * 24 * 3_600_000;
  expect(JSON.stringify(await sync([asked('late.test')], previews))).toContain(
    'got a certificate for two--shop.apps.test',
  );
});
