import { cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { repositoryRoot, runCli } from '../support/cli.ts';
import { commitAll, initRepository, tryGit } from '../support/git.ts';
import { fetchFrom } from '../support/http.ts';
import { startMariaDb } from '../support/mariadb.ts';
import { startServe } from '../support/serve.ts';
import { makeTempDir, writeTree } from '../support/temp-dir.ts';

test(
  'the shop is pushed, migrated and sells; a push with a broken migration is rejected while it goes on selling',
  { timeout: 120_000 },
  async () => {
    await using db = await startMariaDb();
    await using serve = await startServe();
    const folder = await makeTempDir('fshop-');
    onTestFinished(() => folder.remove());
    const dir = join(folder.path, 'shop');
    await cp(join(repositoryRoot, 'examples/shop'), dir, {
      recursive: true,
      filter: (path) => !/node_modules|\.fnrun/.test(path),
    });
    const remote = await serve.createApp('shop');
    const { code, stderr } = await runCli(['env', 'shop', 'set', `DATABASE_URL=${db.url}`, '--home', serve.home]);
    expect([code, stderr]).toEqual([0, '']);
    const push = async (subject: string): Promise<{ ok: boolean; output: string }> => {
      await commitAll(dir, subject);
      const pushed = await tryGit(dir, ['push', remote, 'HEAD:main']);
      return { ok: pushed.code === 0, output: pushed.output };
    };
    const ask = (path: string, body?: object) =>
      fetchFrom(serve.gateway, {
        path,
        headers: [['Host', 'shop.localhost']],
        ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
      });
    await initRepository(dir);

    const first = await push('A shop');
    expect(first.output).toMatch(
      /boot check[^]*migrate +0001_products\.sql, 2 statements[^]*0002_orders\.sql, 2 statements[^]*0003_order_totals\.sql, 4 statements[^]*live /,
    );
    const order = { customer: 'Ada', items: [{ product: 1, quantity: 2 }] };
    const placed = await ask('/orders', order);
    expect([placed.status, placed.json()]).toEqual([201, { id: 1, total: 4980 }]);

    const route = await readFile(join(dir, 'functions/products/index.ts'), 'utf8');
    await writeTree(dir, {
      'functions/products/index.ts': route.replace('Response.json(', 'Response.json([], { status: 500 }); ('),
      'migrations/0004_sku.sql':
        'ALTER TABLE products ADD COLUMN sku CHAR(8);\n\nCREATE UNIQUE INDEX sku ON product (sku);\n',
    });
    const broken = await push('Broken');
    expect(broken.ok).toBe(false);
    expect(broken.output).toMatch(
      /rejected +migrations\/0004_sku\.sql:3: Table 'app\.product' doesn't exist \(1146\); 1 of its 2 statements ran and stays/,
    );
    const products = (await ask('/products')).json();
    expect(products).toMatchObject([{ stock: 3 }, { stock: 40 }, { stock: 1 }]);
    expect((await ask('/orders', order)).status).toBe(201);

    await writeTree(dir, {
      'functions/products/index.ts': route,
      'migrations/0004_sku.sql':
        'ALTER TABLE products ADD COLUMN sku CHAR(8);\n\nCREATE UNIQUE INDEX sku ON products (sku);\n',
    });
    const mended = await push('Mended');
    expect(mended.output).toMatch(/migrate +0004_sku\.sql, 1 statement, behind the 1 that had run[^]*live /);
    expect(await db.sql("SHOW INDEX FROM app.products WHERE Key_name = 'sku'")).toHaveLength(1);
    expect((await ask('/orders/2')).json()).toMatchObject({ customer: 'Ada', total: 4980 });
  },
);
