import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { AppBody, ProcessesBody } from '../../router/control/types.ts';
import { runCli, startCli } from '../support/cli.ts';
import { commitAll, git, initRepository, tryGit } from '../support/git.ts';
import type { GitResult } from '../support/git.ts';
import { fetchFrom, targetOf } from '../support/http.ts';
import { startServe, type Serve } from '../support/serve.ts';
import { makeTempDir, writeTree, type TempDir } from '../support/temp-dir.ts';

vi.setConfig({ testTimeout: 60_000 });

let serve: Serve;
let folder: TempDir;
let remote: string;

const answer = (text: string): string => `export default () => new Response(${JSON.stringify(text)});`;

async function push(...refs: string[]): Promise<GitResult> {
  return await tryGit(folder.path, ['push', remote, ...refs]);
}

async function commit(text: string, more: Record<string, string> = {}): Promise<void> {
  await writeTree(folder.path, { 'functions/index.ts': answer(text), ...more });
  await commitAll(folder.path, text);
}

async function textAt(host: string): Promise<string> {
  const { status, text } = await fetchFrom(serve.gateway, { path: '/', headers: [['Host', host]] });
  return status === 200 ? text : `${status} ${(JSON.parse(text) as { code: string }).code}`;
}

async function apps(): Promise<AppBody[]> {
  return JSON.parse((await runCli(['apps', '--json', '--home', serve.home])).stdout) as AppBody[];
}

beforeAll(async () => {
  serve = await startServe();
  folder = await makeTempDir();
  remote = await serve.createApp('shop');
  await initRepository(folder.path);
  await commit('production', {
    'fnrun.json': JSON.stringify({ domains: ['shop.example'], limits: { memoryMb: 900 } }),
  });
  await push('HEAD:main');
}, 60_000);

afterAll(async () => {
  await serve?.stop();
  await folder?.remove();
});

describe('a branch that does not deploy', () => {
  test('branch gets a preview under a name of its own, and production does not change', async () => {
    await git(folder.path, 'checkout', '-q', '-b', 'Feature/Log_in');
    await commit('preview');
    const pushed = await push('HEAD');
    expect(pushed.output).toMatch(/live +http:\/\/feature-log-in--shop\.localhost:\d+\//);
    expect(pushed.code).toBe(0);
    expect(await textAt('feature-log-in--shop.localhost')).toBe('preview');
    expect(await textAt('feature-log-in--shop.example.org')).toBe('preview');
    for (const host of ['shop.localhost', 'shop.example', 'anything.else'])
      expect(await textAt(host)).toBe('production');
    expect(await textAt('gone--shop.localhost')).toBe('404 FN_APP_NOT_FOUND');
  });

  test('preview is listed with its branch and its end, and has limits of its own', async () => {
    const [preview, shop] = await apps();
    expect(shop).toMatchObject({ name: 'shop', branch: 'main', preview: null });
    expect(preview).toMatchObject({ name: 'feature-log-in--shop', branch: 'Feature/Log_in', preview: { app: 'shop' } });
    const days = (Date.parse(preview!.preview!.expiresAt) - Date.now()) / 86_400_000;
    expect(days).toBeGreaterThan(6.9);
    expect(days).toBeLessThanOrEqual(7);
    const { stdout } = await runCli(['ps', '--json', '--home', serve.home]);
    const { apps: running } = JSON.parse(stdout) as ProcessesBody;
    const limits = Object.fromEntries(running.map((each) => [each.app, each.limits?.memoryMb]));
    expect(limits).toMatchObject({ 'feature-log-in--shop': 256, shop: 900 });
  });

  test('branch may be rewritten, and the commands about apps take the name of the preview', async () => {
    await commit('rewritten');
    await git(folder.path, 'commit', '-q', '--amend', '-m', 'again');
    await git(folder.path, 'reset', '-q', '--soft', 'HEAD~2');
    await commitAll(folder.path, 'squashed');
    expect((await push('+HEAD:Feature/Log_in')).output).toContain('live');
    expect(await textAt('feature-log-in--shop.localhost')).toBe('rewritten');
    const { code } = await runCli(['rollback', 'feature-log-in--shop', '--home', serve.home]);
    expect(code).toBe(0);
    expect(await textAt('feature-log-in--shop.localhost')).toBe('preview');
    expect(await textAt('shop.localhost')).toBe('production');
  });

  test('branch whose name looks the same gets another preview', async () => {
    await git(folder.path, 'checkout', '-q', '-b', 'feature-log-in');
    await commit('other');
    const pushed = await push('HEAD');
    const name = /live +http:\/\/(feature-log-in-[0-9a-f]{6}--shop)\.localhost/.exec(pushed.output)?.[1];
    expect(await textAt(`${name}.localhost`)).toBe('other');
    expect(await textAt('feature-log-in--shop.localhost')).toBe('preview');
  });

  test('branch that does not build leaves neither preview nor ref', async () => {
    await git(folder.path, 'checkout', '-q', '-b', 'broken', 'main');
    await writeTree(folder.path, { 'functions/index.ts': 'export defualt 1;' });
    await commitAll(folder.path, 'broken');
    const pushed = await push('HEAD');
    expect(pushed.code).not.toBe(0);
    expect(pushed.output).toContain('functions/index.ts:1:8');
    expect((await apps()).map(({ name }) => name)).not.toContain('broken--shop');
    await git(folder.path, 'checkout', '-q', '-f', 'main');
  });

  test('branch that is pushed with others is stored', async () => {
    await git(folder.path, 'checkout', '-q', '-b', 'one', 'main');
    const pushed = await push('HEAD:one', 'HEAD:two');
    expect(pushed.output).toMatch(/stored +branch one; pushed alone it gets a preview/);
    expect((await apps()).map(({ name }) => name)).not.toContain('one--shop');
  });

  test('preview survives a restart of the server', async () => {
    await serve.cli.stop();
    const again = await startCli(['serve', '--home', serve.home, '--listen', '127.0.0.1:0']);
    try {
      const target = targetOf(again.ready);
      const host: [string, string][] = [['Host', 'feature-log-in--shop.localhost']];
      expect((await fetchFrom(target, { path: '/', headers: host })).text).toBe('preview');
    } finally {
      await again.stop();
    }
  });
});

describe('the variables of a preview', () => {
  const env = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await runCli(['env', ...args, '--home', serve.home]);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    return stdout;
  };
  const names = ['FROM_APP', 'FROM_PREVIEWS', 'FROM_OWN'];
  const show = `export default (request: Request, ctx: any) =>
    new Response(${JSON.stringify(names)}.map((name) => ctx.env[name]).join(' '));`;

  test('preview has those of its app, over them those of all previews, over them its own', async () => {
    const again = await startCli(['serve', '--home', serve.home, '--listen', '127.0.0.1:0']);
    const at = async (host: string): Promise<string> =>
      (await fetchFrom(targetOf(again.ready), { path: '/', headers: [['Host', host]] })).text;
    try {
      await env('shop', 'set', 'FROM_APP=app-value', 'FROM_PREVIEWS=app-value', 'FROM_OWN=app-value');
      expect(await env('shop', 'set', '--previews', 'FROM_PREVIEWS=preview-value', 'FROM_OWN=preview-value')).toContain(
        'Stored',
      );
      await git(folder.path, 'checkout', '-q', '-f', '-b', 'vars', 'main');
      await writeTree(folder.path, { 'functions/index.ts': show });
      await commitAll(folder.path, 'vars');
      const pushed = await push('HEAD');
      expect(pushed.output).toContain('vars--shop.localhost');
      expect(await at('vars--shop.x')).toBe('app-value preview-value preview-value');
      await env('vars--shop', 'set', 'FROM_OWN=own-value');
      expect(await at('vars--shop.x')).toBe('app-value preview-value own-value');
      await env('shop', 'set', 'FROM_APP=later-value');
      expect(await at('vars--shop.x')).toBe('app-value preview-value own-value');
      await git(folder.path, 'commit', '-q', '--allow-empty', '-m', 'again');
      expect((await push('HEAD')).code).toBe(0);
      expect(await at('vars--shop.x')).toBe('later-value preview-value own-value');
      expect(await env('shop', 'list', '--previews', '--values')).toBe(
        'FROM_OWN=preview-value\nFROM_PREVIEWS=preview-value\n',
      );
      expect((await push('--delete', 'vars')).code).toBe(0);
      await git(folder.path, 'checkout', '-q', '-f', 'main');
    } finally {
      await again.stop();
    }
  });
});

describe('the end of a preview', () => {
  test('preview goes with its branch, and more than may be are refused', async () => {
    await writeFile(join(serve.home, 'config.json'), JSON.stringify({ previews: { perApp: 3, idleMs: 60_000 } }));
    const again = await startCli(['serve', '--home', serve.home, '--listen', '127.0.0.1:0']);
    try {
      const names = async (): Promise<string[]> => (await apps()).map(({ name }) => name);
      const there = (await names()).filter((name) => name.includes('--'));
      expect(there).toHaveLength(2);
      await commit('third');
      expect((await push('HEAD:third')).output).toContain('third--shop.localhost');
      const refused = await push('HEAD:fourth');
      expect(refused.output).toContain('shop has 3 previews, and may have 3');
      expect((await push('--delete', 'third')).output).toMatch(/deleted +branch third/);
      await vi.waitFor(async () => expect(await names()).not.toContain('third--shop'), { timeout: 10_000 });
      expect((await fetchFrom(targetOf(again.ready), { path: '/', headers: [['Host', 'third--shop.x']] })).status).toBe(
        404,
      );
    } finally {
      await again.stop();
    }
  });

  test('preview that nobody has asked for in its time is removed', async () => {
    const db = new DatabaseSync(join(serve.home, 'state.db'));
    db.prepare(`UPDATE apps SET used_at_ms = ? WHERE name = 'feature-log-in--shop'`).run(Date.now() - 61_000);
    db.close();
    const again = await startCli(['serve', '--home', serve.home, '--listen', '127.0.0.1:0']);
    try {
      const names = (await apps()).map(({ name }) => name);
      expect(names).not.toContain('feature-log-in--shop');
      expect(names.filter((name) => name.includes('--'))).toHaveLength(1);
    } finally {
      await again.stop();
    }
  });

  test('app that is removed takes its previews along', async () => {
    const again = await startCli(['serve', '--home', serve.home, '--listen', '127.0.0.1:0']);
    try {
      expect((await runCli(['apps', 'remove', 'shop', '--home', serve.home])).code).toBe(0);
      expect(await apps()).toEqual([]);
    } finally {
      await again.stop();
    }
  });
});
