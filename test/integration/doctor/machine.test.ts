import { execFile } from 'node:child_process';
import { cp, mkdir, rm, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { DoctorContext, MachineCheck } from '../../../deploy/doctor/check.ts';
import { syncCheck } from '../../../deploy/doctor/checks/sync.ts';
import { certificatesCheck } from '../../../deploy/doctor/checks/certificates.ts';
import { daemonCheck } from '../../../deploy/doctor/checks/daemon.ts';
import { roundTripsCheck } from '../../../deploy/doctor/checks/round-trips.ts';
import { runChecks, type Diagnosis } from '../../../deploy/doctor/run-checks.ts';
import { gatherFacts } from '../../../deploy/server/gather-facts.ts';
import { localMachine } from '../../../deploy/server/local-machine.ts';
import { defaultWishes } from '../../../deploy/server/wishes.ts';
import type { SyncOutcome } from '../../../router/control/domain-types.ts';
import { launcher, runCli } from '../../support/cli.ts';
import { nginxFacts, siteOf, startRendered, type RenderedNginx } from '../../support/nginx.ts';
import { pushTree, startServe, type Serve } from '../../support/serve.ts';
import { makeTempDir, writeTree, type TempDir } from '../../support/temp-dir.ts';

const run = promisify(execFile);
const name = 'shop.example.com';
let temp: TempDir;
let serve: Serve;
let nginx: RenderedNginx;
let context: DoctorContext;

/** Makes `<folder>/fullchain.pem` and `privkey.pem` for `name`: signed by a CA of the test's, or by itself. */
async function makeCertificate(
  folder: string,
  { days, selfSigned = false }: { days: number; selfSigned?: boolean },
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const ca = ['-CA', join(temp.path, 'ca.pem'), '-CAkey', join(temp.path, 'ca.key')];
  const files = ['-keyout', join(folder, 'privkey.pem'), '-out', join(folder, 'fullchain.pem')];
  const subject = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`, '-days', String(days)];
  await run('openssl', ['req', '-x509', ...key, ...files, ...subject, ...(selfSigned ? [] : ca)]);
}

const look = (...checks: MachineCheck[]): Promise<Diagnosis> => runChecks(checks, context);
const told = ({ findings }: Diagnosis): string[] => findings.map(({ severity, id }) => `${severity} ${id}`);

beforeAll(async () => {
  temp = await makeTempDir();
  const ca = [
    '-keyout',
    join(temp.path, 'ca.key'),
    '-out',
    join(temp.path, 'ca.pem'),
    '-subj',
    '/CN=A test',
    '-days',
    '30',
  ];
  await run('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', ...ca]);
  await makeCertificate(join(temp.path, 'tls', name), { days: 90 });
  // What root shows to those who ask for a name that has none, and its own notes.
  await makeCertificate(join(temp.path, 'tls/_self-signed'), { days: 397, selfSigned: true });
  await writeTree(join(temp.path, 'tls'), { '.tries.json': '{}' });
  serve = await startServe();
  const app = join(temp.path, 'app');
  await writeTree(app, { 'functions/index.ts': "export default () => new Response('ok');" });
  await pushTree(app, await serve.createApp('shop'));
  const served = join(temp.path, 'served');
  await cp(join(temp.path, 'tls', name), served, { recursive: true });
  const tls = { certificate: join(served, 'fullchain.pem'), key: join(served, 'privkey.pem') };
  nginx = await startRendered(await nginxFacts({ tls }), [siteOf('shop', serve.home)]);
  const machine = localMachine();
  context = {
    machine,
    facts: await gatherFacts(machine),
    wishes: { ...defaultWishes, domain: 'example.com' },
    places: {
      home: serve.home,
      certificates: join(temp.path, 'tls'),
      backups: join(temp.path, 'backups'),
      current: join(temp.path, 'current'),
      httpPort: nginx.http.port,
      httpsPort: nginx.https.port,
    },
    fnrun: [process.execPath, launcher],
    node: [process.execPath],
    target: 'local',
    now: () => new Date(),
    signal: new AbortController().signal,
  };
}, 90_000);

afterAll(async () => {
  await nginx?.[Symbol.asyncDispose]();
  await serve?.stop();
  await temp?.remove();
});

test('a server with an app that works has nothing to do, and its ways are measured', async () => {
  const diagnosis = await look(daemonCheck, certificatesCheck, roundTripsCheck);
  expect(diagnosis.findings.filter(({ severity }) => severity !== 'note')).toEqual([]);
  expect(diagnosis.seen).toEqual({
    fnrun: expect.stringMatching(/^\d+\.\d+\.\d+, 1 apps, \d+ MB of releases$/),
    certificates: `${name} 89 d`,
    'round-trips': expect.stringMatching(/^server [\d.]+ ms, shop [\d.]+ ms and by nginx [\d.]+ ms/),
  });
});

test('a certificate is told that ends, is for another name, has another key, or is not the one served', async () => {
  const folder = join(context.places.certificates, name);
  await makeCertificate(folder, { days: 3 });
  expect(told(await look(certificatesCheck))).toEqual(['critical certificate-ends', 'warning certificate-not-served']);
  await makeCertificate(folder, { days: 90, selfSigned: true });
  expect(told(await look(certificatesCheck))).toEqual([
    'warning certificate-self-signed',
    'warning certificate-not-served',
  ]);
  const other = join(context.places.certificates, 'blog.example.com');
  await cp(folder, other, { recursive: true });
  await cp(join(temp.path, 'ca.key'), join(other, 'privkey.pem'));
  expect(told(await look(certificatesCheck))).toEqual(
    expect.arrayContaining(['critical certificate-name', 'critical certificate-key']),
  );
  await writeTree(other, { 'fullchain.pem': 'half a file' });
  expect(told(await look(certificatesCheck))).toContain('critical certificate-unreadable');
});

test('what root was asked for and has not done is told, and what it could not do', async () => {
  const run = join(serve.home, 'run');
  const problem = { app: 'shop', subject: name, message: 'DNS has no address', hint: 'make an A record' };
  const outcome = (request: number, { agoMs = 0, problems = 0 } = {}) =>
    JSON.stringify({
      request,
      startedAt: new Date(Date.now() - agoMs).toISOString(),
      finishedAt: new Date(Date.now() - agoMs).toISOString(),
      parts: [{ id: 'certificates', changed: [], problems: Array.from({ length: problems }, () => problem) }],
    } satisfies SyncOutcome);
  // As long as the server writes them.
  const asked = Date.now();
  await writeTree(run, { sync: `${asked}\n`, 'sync.json': outcome(asked) });
  expect(told(await look(syncCheck))).toEqual([]);
  await writeTree(run, { 'sync.json': outcome(asked, { problems: 7 }) });
  const { findings } = await look(syncCheck);
  expect(findings[0]).toMatchObject({ what: `${name} of shop: DNS has no address`, todo: 'make an A record' });
  expect(findings.map(({ id }) => id)).toEqual([...Array.from({ length: 5 }, () => 'sync-certificates'), 'sync-more']);
  await writeTree(run, { 'sync.json': outcome(asked - 1) });
  await utimes(join(run, 'sync'), new Date(), new Date(Date.now() - 20 * 60_000));
  expect(told(await look(syncCheck))).toEqual(['critical sync-waits']);
  // nginx has it, and certificates take their time.
  await writeTree(run, { 'sync-served.json': JSON.stringify(JSON.parse(outcome(asked)), null, 2) });
  expect(told(await look(syncCheck))).toEqual([]);
  await rm(join(run, 'sync-served.json'));
  await writeTree(run, { 'sync.json': outcome(asked, { agoMs: 24 * 3_600_000 }) });
  expect(told(await look(syncCheck))).toEqual(['warning sync-stands-still']);
  await writeTree(run, { 'sync.json': 'half a fi' });
  expect(told(await look(syncCheck))).toEqual(['critical sync-waits']);
  await rm(join(run, 'sync.json'));
  await rm(join(run, 'sync'));
  expect(told(await look(syncCheck))).toEqual(['warning sync-stands-still']);
});

test('the command says the same of a home, and its exit code is for cron', { timeout: 120_000 }, async () => {
  const args = ['doctor', '--home', serve.home, '--json'];
  const { code, stdout, stderr } = await runCli(args, { deadlineMs: 110_000 });
  const body = JSON.parse(stdout) as Diagnosis & { well: boolean; machine: string };
  expect([stderr, body.machine, code]).toEqual(['', 'this machine', body.well ? 0 : 1]);
  expect(body.findings.filter(({ id }) => id.endsWith('-not-looked-at'))).toEqual([]);
  expect(body.seen).toMatchObject({
    fnrun: expect.stringContaining('1 apps'),
    disk: expect.any(String),
    memory: expect.any(String),
  });
  expect(body.skipped).toMatchObject({ 'setup-wishes': 'not set up by fnrun' });
});

test('a server that is gone is told, and no other check fails for it', async () => {
  await serve.cli.stop('SIGKILL');
  const diagnosis = await look(daemonCheck, roundTripsCheck);
  expect(told(diagnosis)).toEqual(['critical fnrun-down']);
  expect(diagnosis.skipped).toEqual({ 'round-trips': 'no server to measure the ways of' });
});
