import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkConfigText } from '../../../builder/source/app-config.ts';
import { appConfigKeys, checkAppConfig } from '../../../runtime/contract/app-config.ts';
import { mainDatabase, resolveDatabases, resolveMigrations } from '../../../runtime/contract/database.ts';
import { appLimitRules } from '../../../runtime/contract/app-limits.ts';
import { permissionSwitches } from '../../../runtime/contract/app-permissions.ts';
import { settingKeys } from '../../../runtime/contract/settings.ts';

const functions = ['index', 'users/[id]', 'hello'];
const check = (text: string) =>
  checkConfigText(text, functions).problems.map(({ line, column, message, hint }) => ({
    at: `${line}:${column}`,
    message,
    hint,
  }));

test('config with every key passes', () => {
  const config = {
    $schema: './fnrun.schema.json',
    name: 'shop',
    domains: ['shop.example.org'],
    defaults: { timeoutMs: 5000 },
    functions: { 'users/[id]': { methods: ['GET'], minWorkers: 1, maxWorkers: 2 } },
    limits: {
      memoryMb: 256,
      cpus: 0.5,
      processes: 2,
      openFiles: 1024,
      threads: 8,
      logLinesPerSecond: 10,
      idleStopMs: 0,
    },
    permissions: {
      childProcess: true,
      addons: true,
      inspector: false,
      wasi: false,
      fsRead: ['/srv/data', '/etc/app.conf'],
      fsWrite: ['*'],
    },
    bundle: {
      external: ['sharp', '@scope/x'],
      mainFields: ['module', 'main'],
      conditions: ['worker'],
      define: { DEBUG: 'false' },
    },
    release: { command: 'npm run migrate', timeoutMs: 1000 },
    autoRollback: false,
    rateLimit: { requestsPerSecond: 5, burst: 10, connections: 20 },
    database: { maxConnections: 10, named: { reports: { env: 'REPORTS_URL' } } },
    dependencies: { installScripts: ['plain'] },
  };
  expect(Object.keys(config).toSorted()).toEqual(appConfigKeys.toSorted());
  const reading = checkConfigText(JSON.stringify(config), functions);
  expect(reading.problems).toEqual([]);
  expect(reading.config).toEqual(config);
});

test('unknown keys fail at their place with the nearest known one', () => {
  expect(
    check('{\n  "defualts": {},\n  "functions": { "hello": { "timeoutMS": 5 } },\n  "bundle": { "extrenal": [] }\n}'),
  ).toEqual([
    { at: '2:3', message: '"defualts" is no key of fnrun.json', hint: 'did you mean "defaults"?' },
    { at: '3:29', message: 'timeoutMS is no setting of fnrun', hint: 'did you mean "timeoutMs"?' },
    { at: '4:15', message: '"extrenal" is no key of bundle', hint: 'did you mean "external"?' },
  ]);
});

test('unknown function fails with the nearest one', () => {
  expect(check('{ "functions": { "users/id": {} } }')).toEqual([
    { at: '1:18', message: 'functions["users/id"] names no function of the app', hint: 'did you mean "users/[id]"?' },
  ]);
});

const badValues: [string, string, RegExp][] = [
  [
    '{"functions":{"hello":{"timeoutMs":"10s"}}}',
    '1:36',
    /timeoutMs must be a whole number from 1 to 900000 \(ms\): it is "10s"/,
  ],
  ['{"domains":["ok.example.org","no domain"]}', '1:30', /domains\["?1"?\] must be a host name/],
  ['{"domains":"x.org"}', '1:12', /domains must be a list of host names/],
  ['{"name":"Shop"}', '1:9', /name must be a name of small letters/],
  ['{"functions":[]}', '1:14', /functions must be an object/],
  ['{"bundle":{"external":["../x"]}}', '1:24', /must be the name of a package/],
  ['{"database":{"maxConnections":0}}', '1:31', /database.maxConnections must be a whole number/],
  [
    '{"limits":{"memoryMb":"256"}}',
    '1:23',
    /limits\.memoryMb must be a whole number from 128 to .* \(MB\): it is "256"/,
  ],
  ['{"limits":{"cpus":0}}', '1:19', /limits\.cpus must be a number from 0\.05/],
  ['{"limits":{"threads":2}}', '1:22', /limits\.threads must be a whole number from 4 to 128/],
  ['{"permissions":{"addons":"yes"}}', '1:26', /permissions\.addons must be true or false/],
  ['{"permissions":{"fsRead":["data"]}}', '1:27', /permissions\.fsRead\[0\] must be an absolute path/],
  ['{"permissions":{"fsWrite":["/srv/../etc"]}}', '1:28', /permissions\.fsWrite\[0\] must be an absolute path/],
  ['[]', '1:1', /fnrun.json must be an object/],
  ['{"name":"a","name":"b"}', '1:13', /the key "name" stands twice/],
];

test.each(badValues)('%s fails at %s', (text, at, message) => {
  expect(check(text)).toEqual([
    { at, message: expect.stringMatching(message), hint: expect.toSatisfy((hint) => hint === null || hint !== '') },
  ]);
});

const badSyntax: [string, string, RegExp][] = [
  ['{\n  "name": "a",\n}', '3:1', /Unexpected token }/],
  ["{ 'name': 1 }", '1:3', /Unexpected character/],
  ['{ "name": "a" // x\n}', '1:15', /./],
  ['', '1:1', /./],
];

test.each(badSyntax)('%j is no JSON, told at %s', (text, at, message) => {
  const [problem, ...others] = check(text);
  expect(others).toEqual([]);
  expect(problem).toMatchObject({
    at,
    message: expect.stringMatching(message),
    hint: expect.stringContaining('strict JSON'),
  });
});

test('settings that contradict the defaults fail at the function', () => {
  expect(check('{"defaults":{"maxWorkers":2},"functions":{"hello":{"minWorkers":3}}}')).toMatchObject([
    { at: '1:43', message: 'functions["hello"] with defaults: minWorkers must not be above maxWorkers (2): it is 3' },
  ]);
});

test('config with a byte order mark is read', () => {
  expect(checkConfigText('\uFEFF{"name":"a"}', functions)).toMatchObject({ config: { name: 'a' }, problems: [] });
});

test('checkAppConfig takes __proto__ for an unknown key', () => {
  expect(checkAppConfig(JSON.parse('{"__proto__": {}}'))).toHaveLength(1);
});

test('JSON Schema has the keys that the code knows', () => {
  const text = readFileSync(join(import.meta.dirname, '../../../docs/fnrun.schema.json'), 'utf8');
  const schema = JSON.parse(text) as {
    properties: Record<string, unknown>;
    $defs: Record<'settings' | 'limits' | 'permissions', { properties: Record<string, unknown> }>;
  };
  expect(Object.keys(schema.properties).toSorted()).toEqual(appConfigKeys.toSorted());
  expect(Object.keys(schema.$defs.settings.properties).toSorted()).toEqual(settingKeys.toSorted());
  expect(Object.keys(schema.$defs.permissions.properties)).toEqual([...permissionSwitches, 'fsRead', 'fsWrite']);
  const database = schema.properties['database'] as { properties: Record<string, { default?: unknown }> };
  const { env: _, ...defaults } = resolveDatabases()[mainDatabase]!;
  expect(Object.keys(database.properties).toSorted()).toEqual(
    [...Object.keys(defaults), 'migrations', 'named'].toSorted(),
  );
  for (const [key, value] of Object.entries(defaults))
    expect([key, database.properties[key]!.default]).toEqual([key, value]);
  const { anyOf } = database.properties['migrations'] as { anyOf: { properties?: Record<string, object> }[] };
  const migrationDefaults = Object.entries(resolveMigrations()!).map(([key, value]) => [key, { default: value }]);
  expect(anyOf[1]!.properties).toMatchObject(Object.fromEntries(migrationDefaults));
  const ranges = Object.entries(appLimitRules).map(([key, { min, max }]) => [key, { minimum: min, maximum: max }]);
  expect(schema.$defs.limits.properties).toMatchObject(Object.fromEntries(ranges));
  expect(Object.keys(schema.$defs.limits.properties)).toEqual(Object.keys(appLimitRules));
});
