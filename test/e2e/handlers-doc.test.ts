import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { repositoryRoot, startCli } from '../support/cli.ts';
import { readCurl, readDocument } from '../support/doc-app.ts';
import { fetchFrom, targetOf } from '../support/http.ts';
import { runTypeScript } from '../support/typescript.ts';
import { makeTempDir, writeTree } from '../support/temp-dir.ts';

// Real servers and real transfers, on machines that may be busy.
vi.setConfig({ testTimeout: 60_000 });

const documentPath = join(repositoryRoot, 'docs/handlers.md');

test('the code of docs/handlers.md gives the answers shown there', async () => {
  const { files, commands } = readDocument(await readFile(documentPath, 'utf8'));
  expect(Object.keys(files).length).toBeGreaterThan(5);
  expect(commands.length).toBeGreaterThan(5);
  await using folder = await makeTempDir();
  await writeTree(folder.path, files);
  await using dev = await startCli(['dev', folder.path, '--port', '0']);
  for (const { command, output } of commands) {
    const { head, ...request } = readCurl(command);
    const response = await fetchFrom(targetOf(dev.ready), request);
    const shown = head ? `${response.status} allow: ${response.headers['allow']}` : response.text.trim();
    expect(shown, command).toBe(output);
  }
});

test('the code of docs/handlers.md type-checks', async () => {
  const { files } = readDocument(await readFile(documentPath, 'utf8'));
  await using folder = await makeTempDir();
  await writeTree(folder.path, files);
  expect(await runTypeScript(folder.path)).toBe('');
}, 30_000);
