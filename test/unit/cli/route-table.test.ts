import { expect, test } from 'vitest';
import { renderRoutes } from '../../../cli/route-table.ts';
import type { FunctionInspection, ManifestFunction } from '../../../runtime/contract/manifest.ts';
import { defaultSettings } from '../../../runtime/contract/settings.ts';

function fn(route: string, inspection: Partial<FunctionInspection> | null): ManifestFunction {
  const known: FunctionInspection = {
    shape: 'web',
    fallback: null,
    methods: null,
    settings: defaultSettings,
    warnings: [],
  };
  return {
    name: route.slice(1),
    route,
    source: `functions${route}/index.ts`,
    bundle: '',
    commonjs: false,
    hash: '',
    bytes: 0,
    settings: {},
    defaults: {},
    inspection: inspection === null ? null : { ...known, ...inspection },
  };
}

test.each([
  ['a default handler', { websocket: false }, 'any'],
  ['methods', { shape: 'methods', methods: ['GET', 'PUT'] }, 'GET,PUT'],
  ['methods beside a default', { shape: 'methods', methods: ['GET'], fallback: 'web' }, 'GET,any'],
  ['WebSockets alone', { shape: 'websocket', websocket: true }, 'websocket'],
  ['WebSockets beside methods', { shape: 'methods', methods: ['GET'], websocket: true }, 'GET,websocket'],
  ['nothing known', null, 'any'],
] as const)('renderRoutes tells %s', (_name, inspection, answers) => {
  const lines = renderRoutes([fn('/a', inspection as Partial<FunctionInspection> | null)]).split('\n');
  expect(lines[1]!.trim().split(/\s+/)).toEqual([answers, '/a', 'functions/a/index.ts']);
});
