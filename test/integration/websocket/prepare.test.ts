import { expect, test } from 'vitest';
import { startHost } from '../../support/host.ts';
import { fetchFrom } from '../../support/http.ts';
import { openSocket } from '../../support/websocket.ts';

/** Has the host say when it reads the ws package. */
const telling = `import { registerHooks } from 'node:module';
registerHooks({
  load(url, context, next) {
    if (url.endsWith('/ws/lib/websocket-server.js')) console.log('loads ws');
    return next(url, context);
  },
});`;
const execArgv = ['--import', `data:text/javascript,${encodeURIComponent(telling)}`];

const echo = `export function websocket(socket) { socket.onmessage = ({ data }) => socket.send(data); }`;

test('a host has loaded what WebSockets need before the first one comes', async () => {
  const { target, deploy, logged, logs } = await startHost({ execArgv });
  await deploy({ '/': echo });
  await logged(({ message }) => message === 'loads ws');
  const client = await openSocket(target, '/');
  client.ws.send('here');
  expect(await client.next()).toBe('here');
  expect(logs.filter(({ message }) => message === 'loads ws')).toHaveLength(1);
});

test('a host loads what WebSockets need when no request is under way', async () => {
  const { target, deploy, logged, logs } = await startHost({ execArgv });
  const slow = `export default async () => {
    console.log('begun');
    await new Promise((resolve) => setTimeout(resolve, 500));
    console.log('done');
    return new Response();
  };`;
  await deploy({ '/slow': slow });
  const answer = fetchFrom(target, { path: '/slow' });
  await logged(({ message }) => message === 'begun');
  // Carried over, with what it does.
  await deploy({ '/slow': slow, '/': echo });
  await answer;
  await logged(({ message }) => message === 'loads ws');
  const told = logs.map(({ message }) => message).filter((message) => ['done', 'loads ws'].includes(message));
  expect(told).toEqual(['done', 'loads ws']);
});
