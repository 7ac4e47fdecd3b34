import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { httpLimits } from '../../../../runtime/contract/limits.ts';
import { DirectBody } from '../../../../runtime/host/direct/body.ts';
import { RequestBody } from '../../../../runtime/host/request-body.ts';
import { eventually } from '../../../support/deadline.ts';

// So many single bytes at most are on their way to a handler that takes none.
const most = httpLimits.streamWindowBytes / httpLimits.chunkOverheadBytes;

test('a body of the direct way is read no further when single bytes fill its window', () => {
  let paused = false;
  const link = { pause: () => void (paused = true), resume: () => void (paused = false) };
  const body = new DirectBody(1_000_000, link);
  let chunks = 0;
  body.open({ maxBytes: Infinity, onReady() {}, onTooLarge() {} });
  body.stream({ onChunk: () => void chunks++ });
  while (!paused && chunks < 10_000) body.feed(Buffer.alloc(1));
  expect(chunks).toBeGreaterThan(100);
  expect(chunks).toBeLessThanOrEqual(most);
  // What the worker grants for them when its handler takes them.
  body.grant(chunks * (1 + httpLimits.chunkOverheadBytes));
  expect(paused).toBe(false);
});

test('a chunked body is read no further when single bytes fill its window', async () => {
  const server = createServer();
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  client.on('error', () => {});
  client.write('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
  const [req] = (await once(server, 'request')) as [IncomingMessage];
  const body = new RequestBody(req);
  let chunks = 0;
  body.open({ maxBytes: Infinity, onReady() {}, onTooLarge() {} });
  body.stream({ onChunk: () => void chunks++, onFail() {} });
  client.write('1\r\nx\r\n'.repeat(5_000));
  await eventually(() => req.isPaused());
  expect(chunks).toBeGreaterThan(100);
  expect(chunks).toBeLessThanOrEqual(most);
  body.grant(chunks * (1 + httpLimits.chunkOverheadBytes));
  expect(req.isPaused()).toBe(false);
  client.destroy();
});
