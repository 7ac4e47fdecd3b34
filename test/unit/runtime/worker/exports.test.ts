import { expect, test } from 'vitest';
import { readExports } from '../../../../runtime/worker/exports.ts';

const read = (
  module: Record<string, unknown>,
  options: { settings?: object; defaults?: object; commonjs?: boolean } = {},
) =>
  readExports(module, {
    settings: options.settings ?? {},
    defaults: options.defaults ?? {},
    commonjs: options.commonjs ?? false,
  });
const fn = (): Response => new Response('');

test.each([
  ['a default function', { default: fn }, 'web', null],
  ['an object with fetch', { default: { fetch: fn } }, 'fetch', null],
  ['a function with fetch', { default: Object.assign(() => {}, { fetch: fn }) }, 'fetch', null],
  ['methods', { GET: fn, POST: fn }, 'methods', ['GET', 'POST']],
  ['methods beside a default', { GET: fn, default: fn }, 'methods', null],
  ['a Lambda handler', { handler: fn }, 'lambda', null],
  ['WebSockets alone', { websocket: fn }, 'websocket', null],
  ['WebSockets beside a handler', { websocket: fn, default: fn }, 'web', null],
  ['a Lambda handler exported twice', { handler: fn, default: fn }, 'lambda', null],
])('readExports tells %s', (_name, module, shape, methods) => {
  expect(read(module).inspection).toMatchObject({ shape, methods });
});

test('readExports tells who takes WebSockets', () => {
  expect(read({ default: fn, upgrade: fn }).inspection.websocket).toBe(false);
  expect(read({ GET: fn, websocket: fn }).inspection).toMatchObject({ websocket: true, methods: ['GET'] });
  expect(read({ default: { websocket: fn } }, { commonjs: true }).inspection.shape).toBe('websocket');
  // Other platforms have an object of that name.
  expect(read({ default: fn, websocket: { message: fn } }).inspection.websocket).toBe(false);
});

test('readExports takes the properties of a CommonJS module', () => {
  expect(read({ default: { handler: fn } }, { commonjs: true }).inspection.shape).toBe('lambda');
  expect(read({ default: fn }, { commonjs: true }).inspection.shape).toBe('web');
  expect(read({ default: { fetch: fn } }, { commonjs: true }).inspection.shape).toBe('fetch');
  expect(read({ default: { __esModule: true, default: fn } }, { commonjs: true }).inspection.shape).toBe('web');
  expect(read({ default: { hello: fn } }, { commonjs: true, settings: { handler: 'hello' } }).inspection.shape).toBe(
    'lambda',
  );
});

test('readExports lets fnrun.json win over the module, and the module over the defaults', () => {
  const module = { default: fn, config: { timeoutMs: 5, memoryMb: 64 } };
  expect(
    read(module, { settings: { timeoutMs: 7 }, defaults: { memoryMb: 32, concurrency: 9 } }).inspection.settings,
  ).toMatchObject({
    timeoutMs: 7,
    memoryMb: 64,
    concurrency: 9,
  });
});

test('readExports gives a subtree to fetch unless a setting says otherwise', () => {
  expect(read({ default: { fetch: fn } }).inspection.settings.subtree).toBe(true);
  expect(read({ default: { fetch: fn }, config: { subtree: false } }).inspection.settings.subtree).toBe(false);
  expect(read({ handler: fn }, { settings: { subtree: true } }).inspection.settings.subtree).toBe(true);
});

test('readExports refuses a module without a handler, and says what it has', () => {
  expect(() => read({ helper: 1, config: {} })).toThrow(/it exports helper; export a default function/);
  expect(() => read({ default: 3 })).toThrow(/its default is of type number/);
  expect(() => read({ other: fn }, { settings: { handler: 'main' } })).toThrow(/names "main"/);
});

test('readExports calls fetch on its object', async () => {
  const app = {
    name: 'mine',
    fetch(this: { name: string }) {
      return this.name;
    },
  };
  expect(read({ default: app }).fetch!(new Request('http://a/'), {}, {} as never)).toBe('mine');
});
