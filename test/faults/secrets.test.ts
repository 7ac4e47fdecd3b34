import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { runCli, startCli } from '../support/cli.ts';
import { commitAll, tryGit } from '../support/git.ts';
import { fetchFrom } from '../support/http.ts';
import { filesWith } from '../support/search.ts';
import { pushTree, startServe, type Serve } from '../support/serve.ts';
import { makeTempDir, writeTree, type TempDir } from '../support/temp-dir.ts';

vi.setConfig({ testTimeout: 60_000 });

const secret = 'sk_live_"9f/8e+7d?6c"';
const forms = [
  secret,
  JSON.stringify(secret).slice(1, -1),
  encodeURIComponent(secret),
  Buffer.from(secret).toString('base64').slice(0, -2),
  Buffer.from(secret).toString('base64url').slice(0, -2),
];

const leaks = `
  const secret = process.env.API_KEY;
  const text = {
    raw: () => 'key ' + secret,
    json: () => JSON.stringify({ secret }),
    url: () => 'https://api.example/?key=' + encodeURIComponent(secret),
    base64: () => 'Basic ' + Buffer.from(secret).toString('base64'),
    embedded: () => 'Basic ' + Buffer.from('me:' + secret + ':x').toString('base64url'),
  };
  const how = {
    console: (line) => console.log(line),
    object: (line) => console.error({ line, secret }),
    log: (line, ctx) => ctx.log.warn(line, { line, nested: [{ [secret]: line }] }),
    stderr: (line) => process.stderr.write(line + '\\n'),
    native: (line) => require('node:fs').writeSync(2, line + '\\n'),
    throw: (line) => { throw new Error('refused: ' + line); },
    cause: (line) => { throw new Error('failed', { cause: new Error(line) }); },
    late: (line, ctx) => ctx.waitUntil(Promise.reject(new Error(line))),
  };
  export default (request, ctx) => {
    const query = new URL(request.url).searchParams;
    how[query.get('how')](text[query.get('what')](), ctx);
    return new Response('done');
  };`;

let folder: TempDir;
let serve: Serve;
let remote: string;

beforeAll(async () => {
  serve = await startServe();
  folder = await makeTempDir('fs-');
  remote = await serve.createApp('leaky');
  const args = ['env', 'leaky', 'set', 'API_KEY=-', '--home', serve.home];
  const set = await runCli(args, { input: secret });
  if (set.code !== 0) throw new Error(set.stderr);
  await writeTree(folder.path, {
    'functions/index.ts': `import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);\n${leaks}`,
  });
  await pushTree(folder.path, remote);
}, 60_000);
afterAll(async () => {
  await serve?.stop();
  await folder?.remove();
});

test('43: a secret that is logged or thrown, in whichever way and form, is redacted for followers, in files and for clients', async () => {
  const { home } = serve;
  await fetchFrom(serve.appSocket('leaky'), { path: '/?how=console&what=raw' });
  await using following = await startCli(['logs', 'leaky', '-f', '--json', '--home', home], { ready: /\{/ });
  for (const what of ['raw', 'json', 'url', 'base64', 'embedded']) {
    for (const how of ['console', 'object', 'log', 'stderr', 'native', 'throw', 'cause', 'late']) {
      const from = following.output().length;
      const path = `/?how=${how}&what=${what}`;
      const { text } = await fetchFrom(serve.appSocket('leaky'), { path });
      expect(forms.filter((form) => text.includes(form))).toEqual([]);
      await following.waitFor(/\[redacted API_KEY\]/, { from });
    }
  }
  const { stdout } = await runCli(['logs', 'leaky', '--home', home]);
  for (const shown of [following.output(), stdout, (await runCli(['ps', '--json', '--home', home])).stdout]) {
    expect(forms.filter((form) => shown.includes(form))).toEqual([]);
  }
  expect(await filesWith(home, forms)).toEqual([]);
});

test.each([
  [
    'that throws it while it loads',
    `throw new Error('no access with ' + process.env.API_KEY);`,
    /no access with \[redacted API_KEY\]/,
  ],
  ['that has it in a line that does not build', `const key = ${JSON.stringify(secret)} oops;`, /\[redacted API_KEY\]/],
])('43: the account of a push %s is redacted, its record too', async (_, line, told) => {
  await writeTree(folder.path, { 'functions/broken/index.ts': `${line}\nexport default () => new Response('');\n` });
  await commitAll(folder.path, 'Broken');
  const pushed = await tryGit(folder.path, ['push', remote, 'HEAD:main']);
  expect(pushed.code).not.toBe(0);
  expect(pushed.output).toMatch(told);
  const { stdout } = await runCli(['deploys', 'leaky', '--json', '--home', serve.home]);
  expect(forms.filter((form) => (pushed.output + stdout).includes(form))).toEqual([]);
  expect(await filesWith(join(serve.home, 'logs'), forms)).toEqual([]);
});
