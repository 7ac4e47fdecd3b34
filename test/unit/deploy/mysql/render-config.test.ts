import { expect, test } from 'vitest';
import { planConfig } from '../../../../deploy/mysql/plan.ts';
import { renderConfig, renderValue } from '../../../../deploy/mysql/render-config.ts';
import { factsOf, servers } from './facts.ts';

test.each(servers)('every line of the file for $engine $version has its reason above it', (server) => {
  const facts = factsOf(server);
  const lines = renderConfig(planConfig(facts), facts).split('\n');
  const settings = lines.flatMap((line, i) => (/^[a-z]/.test(line) ? [i] : []));
  expect(settings.length).toBeGreaterThan(15);
  for (const i of settings) expect(lines[i - 1]).toMatch(/^# \S/);
});

test('whatever a fact holds, it stays in its comment or its quotes', () => {
  const disk = { ...factsOf().disk, name: 'vda\nskip-grant-tables\r\u2028x' };
  const facts = factsOf({ disk, logDir: '/var/log/my sql"\nskip-grant-tables' });
  const lines = renderConfig(planConfig(facts), facts).split(/[\n\r\u2028]/);
  expect(lines.filter((line) => line.startsWith('skip'))).toEqual([
    'skip_log_bin',
    'skip_networking = ON',
    'skip_name_resolve = ON',
  ]);
  expect(lines).toContain(String.raw`slow_query_log_file = "/var/log/my sql\"\nskip-grant-tables/slow.log"`);
});

test('a value is written as option files take it', () => {
  expect(renderValue({ value: 512 * 2 ** 20, unit: 'bytes' })).toBe('512M');
  expect(renderValue({ value: 1000, unit: 'bytes' })).toBe('1000');
  expect(renderValue({ value: false })).toBe('OFF');
  expect(() => renderValue({ value: 'a\0b' })).toThrow('NUL');
});
