import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { repositoryRoot } from '../../support/cli.ts';
import { within } from '../../support/deadline.ts';
import { fetchFrom, type HttpTarget } from '../../support/http.ts';
import { residentTreeBytes } from '../../support/proc.ts';
import { openRaw } from '../../support/raw-http.ts';
import { pushTree, startServe, type Serve } from '../../support/serve.ts';
import { makeTempDir, type TempDir } from '../../support/temp-dir.ts';

const MiB = 1024 * 1024;
/**
 * What all processes together may grow by: buffers of the socket that no collection has taken yet, 60 to 100 MB
 * at 700 MB/s. What is sent, or would be unpacked, is ten times as much.
 */
const growthMbMax = 200;
const host = 'one.localhost';

let folder: TempDir;
let serve: Serve;

beforeAll(async () => {
  serve = await startServe();
  folder = await makeTempDir();
  await cp(join(repositoryRoot, 'test/fixtures/http/app'), folder.path, { recursive: true });
  await pushTree(folder.path, await serve.createApp('one'));
  for (const target of ways.map(targetOf)) await fetchFrom(target, { path: '/warm', headers: [['Host', host]] });
}, 120_000);

afterAll(async () => {
  await serve?.stop();
  await folder?.remove();
});

const ways = ['socket', 'gateway'] as const;
const targetOf = (way: (typeof ways)[number]): HttpTarget =>
  way === 'socket' ? serve.appSocket('one') : serve.gateway;

/** The most that the server with its app hosts grows by while `work` runs, in MB. */
async function growthDuring<T>(work: () => Promise<T>): Promise<{ result: T; growthMb: number }> {
  const pid = serve.cli.child.pid!;
  const before = await residentTreeBytes(pid);
  let most = before;
  const watch = async (): Promise<void> => {
    most = Math.max(most, await residentTreeBytes(pid));
  };
  const ending = new AbortController();
  const watching = (async () => {
    while (!ending.signal.aborted) await watch().then(() => delay(5));
  })();
  try {
    const result = await work();
    await watch();
    return { result, growthMb: (most - before) / MiB };
  } finally {
    ending.abort();
    await watching;
  }
}

/** Uploads without an end, as fast as it is taken, until the server closes; resolves with what it said. */
async function uploadForEver(target: HttpTarget, head: string, piece: Buffer): Promise<{ said: string; sent: number }> {
  const socket = await openRaw(target);
  let said = '';
  let sent = 0;
  socket.setEncoding('latin1').on('data', (text: string) => void (said += text));
  const closed = new Promise<void>((resolve) => {
    socket.on('error', () => undefined).on('close', () => resolve());
  });
  const more = (): void => {
    while (!socket.destroyed) {
      sent += piece.length;
      if (!socket.write(piece)) return;
    }
  };
  socket.on('drain', more);
  socket.write(head);
  more();
  await within(30_000, 'the end of the upload', closed);
  return { said, sent };
}

const bytes = Buffer.alloc(64 * 1024, 'x');
const chunk = Buffer.concat([Buffer.from('10000\r\n'), bytes, Buffer.from('\r\n')]);

test.each(ways)(
  '36: an upload without an end gets 413 and its connection ends, memory is flat (%s)',
  async (way) => {
    const head = (framing: string): string => `POST /limited HTTP/1.1\r\nHost: ${host}\r\n${framing}\r\n\r\n`;
    const { result, growthMb } = await growthDuring(async () => [
      await uploadForEver(targetOf(way), head('Transfer-Encoding: chunked'), chunk),
      await uploadForEver(targetOf(way), head('Content-Length: 999999999999'), bytes),
    ]);
    for (const { said, sent } of result) {
      expect(said, `after ${sent} bytes`).toMatch(/^HTTP\/1\.1 413 [^]*"code":"FN_BODY_TOO_LARGE"/);
      expect(said.match(/HTTP\/1\.1/g)).toHaveLength(1);
    }
    const sentMb = result.map(({ sent }) => Math.round(sent / MiB));
    expect(growthMb, `MB sent: ${sentMb.join(', ')}`).toBeLessThan(growthMbMax);
  },
  60_000,
);

test.each(ways)(
  '36: a compressed body is not unpacked: 100 MB of zeros are the 97 KB that came (%s)',
  async (way) => {
    const body = gzipSync(Buffer.alloc(100_000_000));
    const headers = [
      ['Host', host],
      ['Content-Encoding', 'gzip'],
    ] as const;
    const ask = () => fetchFrom(targetOf(way), { method: 'POST', path: '/bomb', headers, body });
    const { result, growthMb } = await growthDuring(() => Promise.all(Array.from({ length: 10 }, ask)));
    for (const response of result) {
      expect(response.status).toBe(200);
      expect(response.json().bytes).toBe(body.toString('utf8').length);
    }
    expect(growthMb).toBeLessThan(growthMbMax);
  },
  60_000,
);
