import { expect, test } from 'vitest';
import { isMet, textOf, type Figure } from '../../bench/report.ts';
import { figureLine, markdown, targetTable } from '../../bench/tables.ts';

const base = { case: 'json', samples: 5 };
const figures: Figure[] = [
  { ...base, side: 'fnrun', name: 'throughput', value: 21_360, unit: 'req/s' },
  { ...base, side: 'node:http', name: 'throughput', value: 29_580, unit: 'req/s' },
  { ...base, side: 'bun', name: 'throughput', value: 60_000, unit: 'req/s' },
  { ...base, side: 'fnrun', over: 'node:http', name: 'throughput', value: 0.72, unit: 'x', target: { least: 1 } },
  { ...base, side: 'fnrun', over: 'bun', name: 'throughput', value: 0.356, unit: 'x' },
  { ...base, side: 'fnrun', name: 'failed requests', value: 0, unit: 'requests', target: { most: 0 } },
  { ...base, case: 'functions', side: 'fnrun', name: 'throughput, 10 functions', value: 19_000, unit: 'req/s' },
  {
    ...base,
    case: 'functions',
    side: 'fnrun',
    over: '1 function',
    name: 'throughput, 10 functions',
    value: 0.95,
    unit: 'x',
    target: { least: 0.9 },
  },
];

test('isMet holds a figure against either bound, the bound itself included', () => {
  expect(isMet({ value: 0.9, target: { least: 0.9 } })).toBe(true);
  expect(isMet({ value: 0.89, target: { least: 0.9 } })).toBe(false);
  expect(isMet({ value: 5, target: { most: 5 } })).toBe(true);
  expect(isMet({ value: 5.1, target: { most: 5 } })).toBe(false);
  expect(isMet({ value: Number.NaN, target: { most: 5 } })).toBe(false);
  expect(isMet({ value: 5 })).toBeNull();
  expect([textOf({ least: 1 }), textOf({ most: 0 }), textOf(undefined)]).toEqual(['>= 1', '<= 0', '']);
});

test('figureLine says whether a target was missed', () => {
  expect(figureLine(figures[3]!)).toMatch(/^ {2}throughput, fnrun \/ node:http +0\.72× {2}\(target >= 1: missed\)$/);
  expect(figureLine(figures[0]!)).toMatch(/^ {2}fnrun throughput +21,360 req\/s$/);
});

test('targetTable lists every figure with a target and nothing else', () => {
  const rows = targetTable(figures).map((line) => line.trim().split(/ {2,}/));
  expect(rows).toEqual([
    ['case', 'what', 'target', 'measured'],
    ['json', 'throughput, fnrun / node:http', '>= 1×', '0.72×', 'MISSED'],
    ['json', 'fnrun failed requests', '<= 0 requests', '0 requests', 'met'],
    ['functions', 'throughput, 10 functions, fnrun / 1 function', '>= 0.9×', '0.95×', 'met'],
  ]);
});

test('markdown has a column for each side where there are peers, and a row for each other figure', () => {
  const lines = markdown([
    ...figures,
    { ...base, case: 'push', side: 'fnrun', name: 'p50', value: 255, unit: 'ms', target: { most: 300 } },
    { ...base, case: 'push', side: 'bare', name: 'p50', value: 37, unit: 'ms' },
    { ...base, case: 'push', side: 'fnrun', over: 'bare', name: 'p50', value: 6.6, unit: 'x' },
    { ...base, case: 'latency', side: 'fnrun', name: 'p99', value: 1.5, unit: 'ms' },
    { ...base, case: 'latency', side: 'node:http', name: 'p99', value: 1, unit: 'ms' },
    { ...base, case: 'latency', side: 'deno', name: 'p99', value: 1, unit: 'ms' },
    {
      ...base,
      case: 'latency',
      side: 'fnrun',
      name: 'failed requests',
      value: 3,
      unit: 'requests',
      target: { most: 0 },
    },
  ]);
  const rows = lines.map((line) => line.split('|').map((cell) => cell.trim()));
  expect(rows.filter((cells) => cells.length > 1).map((cells) => cells.slice(1, -1))).toEqual([
    ['what (fnrun / peer)', 'fnrun', 'node:http', 'bun', 'deno'],
    expect.arrayContaining([expect.stringMatching(/^-+$/)]),
    ['json: throughput', '21,360 req/s', '29,580 req/s (0.72×)', '60,000 req/s (0.356×)', 'not measured'],
    ['latency: p99', '1.5 ms', '1 ms', 'not measured', '1 ms'],
    ['what', 'fnrun', 'beside it', 'ratio', 'target'],
    expect.arrayContaining([expect.stringMatching(/^-+$/)]),
    ['functions: throughput, 10 functions', '19,000 req/s', '1 function', '0.95×', '>= 0.9: met'],
    ['push: p50', '255 ms', '37 ms bare', '6.6×', '<= 300: met'],
  ]);
  expect(lines.at(-1)).toBe('Requests of fnrun that failed, in all cases together: 3');
});
