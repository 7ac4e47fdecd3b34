import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { AppBody, EnvChangedBody, VariableBody } from '../../router/control/types.ts';
import { launcher, runCli, startCli, type CliResult, type RunningCli } from '../support/cli.ts';
import { eventually } from '../support/deadline.ts';
import { commitAll, initRepository, tryGit } from '../support/git.ts';
import { fetchFrom } from '../support/http.ts';
import { olderNode } from '../support/older-node.ts';
import { filesWith, processesWith } from '../support/search.ts';
import { makeTempDir, writeTree, type TempDir } from '../support/temp-dir.ts';

// Real servers, processes and pushes, on machines that may be busy.
vi.setConfig({ testTimeout: 90_000 });

let folder: TempDir;
let home: string;
let server: RunningCli;

beforeEach(async () => {
  folder = await makeTempDir('fn-');
  home = join(folder.path, 'h');
  await start();
  const created = await cli('apps', 'create', 'shop');
  if (created.code !== 0) throw new Error(created.stderr);
});
afterEach(async () => {
  await server.stop();
  await folder.remove();
});

async function start(): Promise<void> {
  server = await startCli(['serve', '--home', home, '--listen', '127.0.0.1:0']);
}

const cli = (...args: string[]): Promise<CliResult> => runCli([...args, '--home', home]);
const setFromInput = (name: string, input: string): Promise<CliResult> =>
  runCli(['env', 'shop', 'set', `${name}=-`, '--home', home], { input });
const answer = async (): Promise<string> =>
  (await fetchFrom({ socketPath: join(home, 'run/shop.sock') }, { path: '/' })).text;

async function pushApp(source: string): Promise<void> {
  const dir = join(folder.path, 'app');
  await writeTree(dir, { 'functions/index.ts': source });
  await initRepository(dir);
  await commitAll(dir, 'An app');
  const pushed = await tryGit(dir, ['push', join(home, 'apps/shop/repo.git'), 'main']);
  expect(pushed.code, pushed.output).toBe(0);
}

const tellsToken = `export default () => new Response(String(process.env.TOKEN));\n`;

test('a value lies nowhere in clear: not in the home, not in a command line or environment, not in output', async () => {
  const values = ['correct-horse-battery', 'staple-of-the-second'] as const;
  const noted: string[] = [];
  const note = ({ stdout, stderr, code }: CliResult): void => {
    expect(code).toBe(0);
    noted.push(stdout, stderr);
  };
  note(await setFromInput('TOKEN', values[0]));
  await pushApp(`
    console.log('loading with', process.env.TOKEN);
    export default () => {
      console.log({ token: process.env.TOKEN, all: Buffer.from('user:' + process.env.TOKEN).toString('base64') });
      return new Response(String(process.env.TOKEN));
    };`);
  expect(await answer()).toBe(values[0]);
  note(await setFromInput('TOKEN', values[1]));
  expect(await answer()).toBe(values[1]);
  for (const args of [
    ['env', 'shop'],
    ['env', 'shop', '--json'],
    ['logs', 'shop'],
    ['logs', 'shop', '--json'],
    ['deploys', 'shop', '--json'],
    ['ps', '--json'],
    ['rollback', 'shop'],
  ])
    note(await cli(...args));
  expect(await answer()).toBe(values[0]);
  expect(await processesWith(values)).toEqual([]);
  const encoded = values.flatMap((value) => [value, Buffer.from(value).toString('base64').slice(0, 16)]);
  expect(noted.join('')).not.toMatch(new RegExp(encoded.join('|')));
  expect(noted.join('')).toContain('[redacted TOKEN]');
  expect(server.output()).not.toMatch(new RegExp(encoded.join('|')));
  expect(await filesWith(home, encoded)).toEqual([]);
  // The search would have found it.
  await writeTree(home, { 'logs/probe': `x ${values[0]} y` });
  expect(await filesWith(home, encoded)).toEqual([join(home, 'logs/probe')]);
});

test('a value on the command line is covered as soon as the command runs', async () => {
  const value = 'visible-for-a-moment';
  const args = ['env', 'shop', 'set', `A=${value}`, 'B=-', '--home', home];
  const env = { PATH: process.env['PATH'] };
  // An older Node, where there is one, starts another process with the same arguments.
  const child = spawn(olderNode ?? process.execPath, [launcher, ...args], {
    env,
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  await eventually(async () => (await processesWith(['fnrun env shop set'])).length > 0);
  expect(await processesWith([value])).toEqual([]);
  child.stdin.end('typed later');
  const [code] = (await once(child, 'exit')) as [number];
  expect(code).toBe(0);
  expect((await cli('env', 'shop')).stdout).toBe('NAME  BYTES\nA     20\nB     11\n');
});

test('the variables of the live release are there again after a restart, and its log is redacted from the first line', async () => {
  await setFromInput('TOKEN', 'survives-a-restart');
  await pushApp(`console.log('with ' + process.env.TOKEN);\n${tellsToken}`);
  await server.stop();
  await start();
  expect(await answer()).toBe('survives-a-restart');
  expect((await cli('logs', 'shop')).stdout).toContain('with [redacted TOKEN]');
  expect(await filesWith(join(home, 'logs'), ['survives-a-restart'])).toEqual([]);
});

test('a server that is killed at any point of an env set has the old or the new variables, and all agree', async () => {
  await setFromInput('TOKEN', 'value-0');
  await pushApp(tellsToken);
  let before = 'value-0';
  for (const [index, afterMs] of [80, 110, 140, 180].entries()) {
    const wanted = `value-${index + 1}`;
    const setting = setFromInput('TOKEN', wanted);
    await delay(afterMs);
    await server.stop('SIGKILL');
    const { code } = await setting;
    await start();
    const serves = await answer();
    expect(code === 0 ? [wanted] : [before, wanted]).toContain(serves);
    const listed = JSON.parse((await cli('env', 'shop', '--values', '--json')).stdout) as VariableBody[];
    expect(listed).toMatchObject([{ name: 'TOKEN', value: serves }]);
    const deploys = JSON.parse((await cli('deploys', 'shop', '--json')).stdout) as {
      live: boolean;
      state: string;
      release: string;
    }[];
    const apps = JSON.parse((await cli('apps', '--json')).stdout) as AppBody[];
    const live = deploys.find((one) => one.live);
    expect(live).toMatchObject({ state: 'succeeded', release: apps[0]?.live?.release });
    expect(deploys.filter((one) => one.state === 'running')).toEqual([]);
    before = serves;
  }
  // And it goes on from there.
  expect((await setFromInput('TOKEN', 'value-last')).code).toBe(0);
  expect(await answer()).toBe('value-last');
});

test('a server without its key tells what is lost, serves on when it is back, or with new values', async () => {
  await setFromInput('TOKEN', 'the-first-token');
  await pushApp(tellsToken);
  await server.stop();
  const key = join(home, 'secret.key');
  await rename(key, `${key}.aside`);

  await start();
  expect(server.output()).toContain(`shop: is not served: The values of TOKEN of shop cannot be read: ${key} is gone`);
  expect((await cli('env', 'shop')).stdout).toBe('NAME   BYTES\nTOKEN  15\n');
  const values = await cli('env', 'shop', '--values');
  expect(values.code).toBe(1);
  expect(values.stderr).toContain('put the key back from a backup');
  expect((await cli('env', 'shop', 'set', 'OTHER=1')).stderr).toContain('The values of TOKEN of shop cannot be read');
  await server.stop();

  await rename(`${key}.aside`, key);
  await start();
  expect(await answer()).toBe('the-first-token');
  await server.stop();

  await rename(key, `${key}.aside`);
  await start();
  const anew = JSON.parse((await cli('env', 'shop', 'set', 'TOKEN=another-token', '--json')).stdout) as EnvChangedBody;
  expect(anew).toMatchObject({ changed: true, deployment: { state: 'succeeded', live: true, source: 'env' } });
  expect(await answer()).toBe('another-token');
});
