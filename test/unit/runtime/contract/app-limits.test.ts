import { expect, test } from 'vitest';
import { resolveAppLimits, tasksOf } from '../../../../runtime/contract/app-limits.ts';
import { permissionsDenied } from '../../../../runtime/contract/app-permissions.ts';

test('an app that asks for nothing gets half of the memory and no CPU quota', () => {
  expect(resolveAppLimits({}, { machineMb: 8_192 })).toMatchObject({
    memoryMb: 4_096,
    cpus: null,
    idleStopMs: 900_000,
  });
  expect(resolveAppLimits({}, { machineMb: 512 }).memoryMb).toBe(512);
});

test('what an app asks for wins over the default of the operator, and a ceiling over both', () => {
  const policy = { limits: { memoryMb: 256, openFiles: 500 }, ceilings: { memoryMb: 1_000, cpus: 0.5 } };
  const resolve = (asked: object) => resolveAppLimits(asked, { policy, machineMb: 8_192 });
  expect(resolve({})).toMatchObject({ memoryMb: 256, openFiles: 500, cpus: 0.5 });
  expect(resolve({ memoryMb: 800, cpus: 0.25 })).toMatchObject({ memoryMb: 800, cpus: 0.25 });
  expect(resolve({ memoryMb: 4_000, cpus: 4 })).toMatchObject({ memoryMb: 1_000, cpus: 0.5 });
});

test('a ceiling on the idle time holds for apps that never want to stop', () => {
  const resolve = (idleStopMs: number, most: number) =>
    resolveAppLimits({ idleStopMs }, { policy: { ceilings: { idleStopMs: most } }, machineMb: 1 }).idleStopMs;
  expect([resolve(0, 60_000), resolve(5, 60_000), resolve(90_000, 60_000)]).toEqual([60_000, 5, 60_000]);
  // A ceiling of "never" is none.
  expect([resolve(0, 0), resolve(5, 0)]).toEqual([0, 5]);
});

test('tasks grow with the threads and processes of an app', () => {
  const few = tasksOf({ threads: 4, processes: 0 });
  expect(tasksOf({ threads: 8, processes: 0 })).toBeGreaterThan(few);
  expect(tasksOf({ threads: 4, processes: 4 })).toBeGreaterThan(few);
});

test('permissions that an operator does not give are named', () => {
  const asked = { childProcess: true, addons: true, fsRead: ['/srv/data/a', '/srv/database'], fsWrite: ['*'] };
  expect(permissionsDenied(asked, { addons: true, fsRead: ['/srv/data'] })).toEqual([
    'permissions.childProcess',
    'permissions.fsRead: /srv/database',
    'permissions.fsWrite: *',
  ]);
  expect(permissionsDenied(asked, { childProcess: true, addons: true, fsRead: ['/'], fsWrite: ['*'] })).toEqual([]);
});
