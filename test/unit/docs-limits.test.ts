import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { appLimitRules, resolveAppLimits } from '../../runtime/contract/app-limits.ts';
import { resolveAppPermissions } from '../../runtime/contract/app-permissions.ts';
import { mainDatabase, resolveDatabases, resolveMigrations } from '../../runtime/contract/database.ts';
import { repositoryRoot } from '../support/cli.ts';

const text = readFileSync(join(repositoryRoot, 'docs/limits.md'), 'utf8');
/** Cells of the table rows whose first cell is `key` in code. */
const row = (key: string): string[] | undefined =>
  new RegExp(`^\\| \`${key}\` .*$`, 'm')
    .exec(text)?.[0]
    .split('|')
    .map((cell) => cell.trim());

test('docs/limits.md lists every limit of an app with its default and bounds', () => {
  const defaults: Record<string, number | null> = { ...resolveAppLimits({}, { machineMb: 0 }) };
  for (const [key, { min, max }] of Object.entries(appLimitRules)) {
    const [, , , shown = '', range = ''] = row(key) ?? [];
    const value = defaults[key];
    expect([key, shown]).toEqual([key, expect.stringContaining(value === null ? 'none' : String(value))]);
    expect([key, range]).toEqual([key, expect.stringMatching(new RegExp(`^${min}\\b.*(${max}\\b|7 days)`))]);
  }
});

test('docs/limits.md lists every permission', () => {
  for (const [key, value] of Object.entries(resolveAppPermissions({}))) {
    expect([key, row(key)?.[2]]).toEqual([key, `\`${JSON.stringify(value)}\``]);
  }
});

test('docs/mysql.md lists every setting of a database with its default', () => {
  const mysql = readFileSync(join(repositoryRoot, 'docs/mysql.md'), 'utf8');
  const { env: _, ...defaults } = resolveDatabases()[mainDatabase]!;
  for (const [key, value] of Object.entries(defaults)) {
    const shown = new RegExp(`^\\| \`${key}\` +\\| (\\S+)`, 'm').exec(mysql)?.[1];
    expect([key, shown]).toEqual([key, String(value)]);
  }
});

test('docs/migrations.md lists every deadline with its default', () => {
  const migrations = readFileSync(join(repositoryRoot, 'docs/migrations.md'), 'utf8');
  for (const [key, value] of Object.entries(resolveMigrations()!)) {
    const shown = new RegExp(`^\\| \`${key}\` +\\| (\\S+)`, 'm').exec(migrations)?.[1];
    expect([key, shown]).toEqual([key, String(value)]);
  }
});
