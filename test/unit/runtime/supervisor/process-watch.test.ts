import { expect, test } from 'vitest';
import { resolveAppLimits, tasksOf } from '../../../../runtime/contract/app-limits.ts';
import { exceeded } from '../../../../runtime/supervisor/process-watch.ts';

const limits = resolveAppLimits({ memoryMb: 200, processes: 3, threads: 8 }, { machineMb: 4_096 });
const most = { memoryBytes: 200 * 2 ** 20, processes: 3, tasks: tasksOf(limits) };

test('what is at its limit is not over it', () => {
  expect(exceeded(most, limits)).toBeNull();
});

test('what is over its limit is named with its setting', () => {
  expect(exceeded({ ...most, memoryBytes: most.memoryBytes + 1 }, limits)).toContain('limits.memoryMb = 200');
  expect(exceeded({ ...most, processes: 4 }, limits)).toContain('limits.processes = 3');
  expect(exceeded({ ...most, tasks: most.tasks + 1 }, limits)).toContain(`more than ${most.tasks} threads`);
});
