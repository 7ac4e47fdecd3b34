import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { ProcessesBody } from '../../router/control/types.ts';
import { runCli, startCli } from '../support/cli.ts';
import { eventually } from '../support/deadline.ts';
import { commitAll, initRepository, tryGit } from '../support/git.ts';
import { fetchFrom, targetOf } from '../support/http.ts';
import { descendantsOf } from '../support/proc.ts';
import { pushTree } from '../support/serve.ts';
import { startSilentRegistry } from '../support/silent-registry.ts';
import { makeTempDir, writeTree } from '../support/temp-dir.ts';

test(
  'server without a jail says so, builds in a process of its own, and killed leaves none behind',
  { timeout: 90_000 },
  async () => {
    await using registry = await startSilentRegistry();
    await using folder = await makeTempDir('fn-');
    const home = join(folder.path, 'home');
    await writeTree(home, { 'config.json': '{ "builds": { "jail": false } }' });
    await using serve = await startCli(['serve', '--home', home, '--listen', '127.0.0.1:0']);
    await serve.waitFor(/builds run without a jail.*config\.json says "jail": false; see docs\/building\.md/);
    await runCli(['apps', 'create', 'one', '--home', home]);
    const remote = join(home, 'apps/one/repo.git');
    const work = join(folder.path, 'work');
    await writeTree(work, { 'functions/index.ts': 'export default () => new Response("built");\n' });
    await initRepository(work);
    await pushTree(work, remote);
    expect((await fetchFrom(targetOf(serve.ready), { path: '/' })).text).toBe('built');

    await writeTree(work, registry.files);
    await commitAll(work, 'An installation that waits');
    const pushed = tryGit(work, ['push', remote, 'HEAD:main']);
    const control = { socketPath: join(home, 'run/control.sock') };
    const { daemon } = (await fetchFrom(control, { path: '/v1/ps' })).json() as ProcessesBody;
    const lines = async (): Promise<string[]> => {
      const pids = await descendantsOf(daemon.pid);
      return Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
    };
    const running = ['builder/process/main.js', 'esbuild', 'npm'];
    await eventually(
      async () => {
        const all = await lines();
        return running.every((program) => all.some((line) => line.includes(program)));
      },
      { deadlineMs: 40_000 },
    );
    const left = await descendantsOf(daemon.pid);
    await serve.stop('SIGKILL');
    expect((await pushed).code).not.toBe(0);
    await eventually(() => left.every((pid) => !existsSync(`/proc/${pid}`)), { deadlineMs: 20_000 });
  },
);
