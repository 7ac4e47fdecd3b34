import { expect, test } from 'vitest';
import { isMet, textOf, type Figure } from '../../bench/report.ts';
import { figureLine, markdownTable, targetTable } from '../../bench/tables.ts';

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

test('markdownTable sets each peer beside the figure it shares a name with', () => {
  const [head, rule, ...rows] = markdownTable(figures).map((line) => line.split('|').map((cell) => cell.trim()));
  expect(head).toEqual(['', 'what', 'fnrun', 'beside it', 'ratio', 'target', '']);
  expect(rule!.slice(1, -1).every((cell) => /^-+$/.test(cell))).toBe(true);
  expect(rows.map((cells) => cells.slice(1, -1))).toEqual([
    ['json: throughput', '21,360 req/s', '29,580 req/s node:http', '0.72×', '>= 1: **missed**'],
    ['', '', '60,000 req/s bun', '0.356×', ''],
    ['json: failed requests', '0 requests', '', '', '<= 0: met'],
    ['functions: throughput, 10 functions', '19,000 req/s', '1 function', '0.95×', '>= 0.9: met'],
  ]);
});
