import { expect, test } from 'vitest';
import { startCli } from '../support/cli.ts';
import { fetchFrom, targetOf } from '../support/http.ts';
import { makeTempDir, writeTree } from '../support/temp-dir.ts';

test("console.error shows an error's place in the source when a framework prints it", async () => {
  await using folder = await makeTempDir();
  await writeTree(folder.path, {
    'functions/caught/index.ts': `
      interface Padding { a: string; b: string }
      const fail = (): never => { throw Object.assign(new Error('caught and printed'), { code: 'E_OWN' }); };

      export default (): Response => {
        try {
          return fail();
        } catch (error) {
          console.error(error);
          return new Response('answered');
        }
      };`,
  });
  await using dev = await startCli(['dev', folder.path, '--port', '0']);
  const { text } = await fetchFrom(targetOf(dev.ready), { path: '/caught' });
  expect(text).toBe('answered');
  await dev.waitFor(/caught and printed\n\s+at fail \(functions\/caught\/index\.ts:3:\d+\)/);
  await dev.waitFor(/functions\/caught\/index\.ts:7:\d+[^]*E_OWN/);
  expect(dev.output()).not.toContain('index.mjs');
});
