import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCli } from '../support/cli.ts';
import { initRepository, commitAll, tryGit } from '../support/git.ts';
import { fetchFrom } from '../support/http.ts';
import { startMariaDb } from '../support/mariadb.ts';
import type { MariaDb } from '../support/mariadb.ts';
import { pushTree, startServe } from '../support/serve.ts';
import { makeTempDir, writeTree } from '../support/temp-dir.ts';

let db: MariaDb;
beforeAll(async () => {
  db = await startMariaDb({ args: ['--max-connections=40'] });
});
afterAll(() => db[Symbol.asyncDispose]());

const source = `
import { pool } from 'fnrun/mysql';
export default async (): Promise<Response> => {
  const [rows] = await pool.query('SELECT DATABASE() AS name');
  return Response.json(rows);
};
`;

test(
  'a pushed function selects, and a push that asks for more connections than the server takes is refused with the sum',
  { timeout: 60_000 },
  async () => {
    await using serve = await startServe();
    await using folder = await makeTempDir('fdp-');
    const remotes: Record<string, string> = {};
    for (const [app, maxConnections] of [
      ['blog', 12],
      ['shop', 18],
    ] as const) {
      const dir = `${folder.path}/${app}`;
      await writeTree(dir, {
        'functions/index.ts': source,
        'fnrun.json': JSON.stringify({ database: { maxConnections } }),
      });
      remotes[app] = await serve.createApp(app);
      const { code, stderr } = await runCli(['env', app, 'set', `DATABASE_URL=${db.url}`, '--home', serve.home]);
      expect([code, stderr]).toEqual([0, '']);
      const { output } = await pushTree(dir, remotes[app]);
      expect(output).toMatch(
        app === 'blog'
          ? /connections blog 12 of 30 \(40 less 10 for the operator\)/
          : /connections blog 12 \+ shop 18 = 30 of 30/,
      );
      const { status, text } = await fetchFrom(serve.gateway, { path: '/', headers: [['Host', `${app}.localhost`]] });
      expect([status, JSON.parse(text)]).toEqual([200, [{ name: 'app' }]]);
    }
    const dir = `${folder.path}/shop`;
    await writeTree(dir, { 'fnrun.json': JSON.stringify({ database: { maxConnections: 19 } }) });
    await initRepository(dir);
    await commitAll(dir, 'More');
    const { code, output } = await tryGit(dir, ['push', remotes['shop']!, 'HEAD:main']);
    expect(code).not.toBe(0);
    expect(output).toContain('blog 12 + shop 19 = 31 of 30 (40 less 10 for the operator)');
    expect(output).not.toContain('pa%20ss');
    const { status } = await fetchFrom(serve.gateway, { path: '/', headers: [['Host', 'shop.localhost']] });
    expect(status).toBe(200);
  },
);
