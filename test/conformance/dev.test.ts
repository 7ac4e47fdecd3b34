import { afterAll, beforeAll } from 'vitest';
import { startCli, type RunningCli } from '../support/cli.ts';
import { targetOf } from '../support/http.ts';
import { makeTempDir, type TempDir } from '../support/temp-dir.ts';
import { addLocalParts, copyFixtureApp } from './fixture-app.ts';
import { runCases } from './run-cases.ts';

let folder: TempDir;
let dev: RunningCli;

beforeAll(async () => {
  folder = await makeTempDir();
  await copyFixtureApp(folder.path);
  await addLocalParts(folder.path);
  dev = await startCli(['dev', folder.path, '--port', '0']);
}, 60_000);

afterAll(async () => {
  await dev?.stop();
  await folder.remove();
});

runCases('dev', () => targetOf(dev.ready));
