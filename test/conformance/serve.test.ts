import { afterAll, beforeAll } from 'vitest';
import { pushTree, startServe, type Serve } from '../support/serve.ts';
import { makeTempDir, type TempDir } from '../support/temp-dir.ts';
import { copyFixtureApp } from './fixture-app.ts';
import { runCases } from './run-cases.ts';

let folder: TempDir;
let serve: Serve;

beforeAll(async () => {
  serve = await startServe();
  folder = await makeTempDir();
  await copyFixtureApp(folder.path);
  const remote = await serve.createApp('conformance');
  await pushTree(folder.path, remote);
}, 120_000);

afterAll(async () => {
  await serve?.stop();
  await folder?.remove();
});

runCases('gateway', () => serve.gateway);
runCases('socket', () => serve.appSocket('conformance'));
