import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { askControl } from '../../../cli/receive/ask-control.ts';
import { makeTempDir } from '../../support/temp-dir.ts';

test('a server that says nothing is told apart from one that is not there', async () => {
  const folder = await makeTempDir();
  const socketPath = join(folder.path, 's.sock');
  const question = { socketPath, key: 'k', method: 'GET', path: '/v1/health', timeoutMs: 50 } as const;
  await expect(askControl(question)).rejects.toMatchObject({
    code: 'FN_NOT_RUNNING',
    message: expect.stringContaining('it is not running'),
  });
  const server = createServer((socket) => void socket.on('error', () => undefined).resume());
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  onTestFinished(async () => {
    server.close();
    await folder.remove();
  });
  await expect(askControl(question)).rejects.toMatchObject({
    code: 'FN_NOT_RUNNING',
    message: 'The fnrun server has not answered within 0.05 s',
    hint: expect.stringContaining('it is busy'),
  });
});
