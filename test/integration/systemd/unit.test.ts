import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { runCli } from '../../support/cli.ts';
import { makeTempDir } from '../../support/temp-dir.ts';

const run = promisify(execFile);

test.each([
  [[], null, 3.5],
  [['--home', '/srv/my fnrun 100%', '--user', 'apps'], null, 3.5],
  // CAP_SETUID, CAP_SETGID and CAP_KILL.
  [[], { appUsers: { first: 70_000 } }, 4],
])(
  'systemd has nothing to say about the unit, but that it is safe enough (%j, config %j)',
  async (options, config, most) => {
    await using temp = await makeTempDir();
    const home = ['--home', temp.path];
    if (config !== null) await writeFile(join(temp.path, 'config.json'), JSON.stringify(config));
    const { code, stdout } = await runCli(['render', 'systemd', ...(config === null ? options : home)]);
    expect(code).toBe(0);
    const file = join(temp.path, 'fnrun.service');
    await writeFile(file, stdout);
    // --man=no: the pages of a minimal machine are not there.
    const verified = await run('systemd-analyze', ['verify', '--man=no', file]);
    expect(verified.stdout + verified.stderr).toBe('');
    const { stdout: table } = await run('systemd-analyze', ['security', '--offline=true', '--no-pager', file]);
    const score = /Overall exposure level for fnrun\.service: (\d+\.\d)/.exec(table)?.[1];
    // Of 10; a unit with a program and a user alone has 9 and more. docs/systemd.md says what remains, and why.
    expect(Number(score)).toBeGreaterThan(0);
    expect(Number(score)).toBeLessThanOrEqual(most);
  },
);
