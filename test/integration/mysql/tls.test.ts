import { execFile } from 'node:child_process';
import { chmod, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fetchFrom } from '../../support/http.ts';
import { startHost } from '../../support/host.ts';
import { importMysql, startMariaDb } from '../../support/mariadb.ts';
import type { MariaDb } from '../../support/mariadb.ts';
import { makeTempDir } from '../../support/temp-dir.ts';
import type { TempDir } from '../../support/temp-dir.ts';

const run = promisify(execFile);

let certificates: TempDir;
let db: MariaDb;
beforeAll(async () => {
  certificates = await makeTempDir('fdc-');
  await chmod(certificates.path, 0o755);
  for (const name of ['right', 'other']) {
    const files = ['-keyout', join(certificates.path, `${name}.key`), '-out', join(certificates.path, `${name}.pem`)];
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
    await run('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', ...files, ...subject]);
  }
  const file = (name: string): string => join(certificates.path, name);
  db = await startMariaDb({ args: [`--ssl-cert=${file('right.pem')}`, `--ssl-key=${file('right.key')}`] });
});
afterAll(async () => {
  await db[Symbol.asyncDispose]();
  await certificates.remove();
});

async function ask(env: Record<string, string>): Promise<{ status: number; text: string }> {
  const { target, deploy } = await startHost();
  const source = `${importMysql}
    export default async () => {
      const [[row]] = await pool.query("SHOW STATUS LIKE 'Ssl_cipher'");
      return Response.json(row.Value);
    };`;
  await deploy({ '/': source }, { env });
  return fetchFrom(target, { path: '/' });
}

test('a connection to a server with a given CA is encrypted', async () => {
  const ca = await readFile(join(certificates.path, 'right.pem'), 'utf8');
  const { status, text } = await ask({ DATABASE_URL: db.tcpUrl(), DATABASE_CA: ca });
  expect([status, JSON.parse(text)]).toEqual([200, expect.stringMatching(/^(?:TLS|ECDHE)/)]);
});

test('a server whose certificate another has signed gets no password', async () => {
  const ca = await readFile(join(certificates.path, 'other.pem'), 'utf8');
  const { status, text } = await ask({ DATABASE_URL: db.tcpUrl(), DATABASE_CA: ca });
  expect([status, text]).toEqual([503, expect.stringContaining('FN_DB_UNAVAILABLE')]);
});
