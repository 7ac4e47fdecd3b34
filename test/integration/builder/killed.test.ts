import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { packageRoot } from '../../../runtime/entry-points.ts';
import { load, makeApp } from './app.ts';

// Milliseconds after the start of the build: during discovery, bundling, writing, and after some releases.
const killedAfterMs = [1, 30, 90, 180, 260];

test(
  'builds killed at any moment leave whole releases only, and the next build goes well',
  { timeout: 60_000 },
  async () => {
    const functions = Array.from({ length: 10 }, (_, index) => [
      `functions/f${index}.ts`,
      `import { x } from "../lib/x.ts";\nexport default () => x + ${index};\n`,
    ]);
    await using app = await makeApp({
      ...Object.fromEntries(functions),
      'lib/x.ts': 'export const x = 1;\n',
      'public/a.txt': 'a',
    });
    const script = join(app.dir, 'forever.ts');
    const options = JSON.stringify({ sourceDir: app.source, releasesDir: app.releases, cacheDir: app.cache });
    const lines = [
      `import { writeFileSync } from 'node:fs';`,
      `import { build } from ${JSON.stringify(join(packageRoot(), 'builder/build.ts'))};`,
      `process.stdout.write('started\\n');`,
      `for (let n = 0; ; n++) {`,
      `  writeFileSync(${JSON.stringify(join(app.source, 'lib/x.ts'))}, 'export const x = ' + n + ';\\n');`,
      `  await build(${options});`,
      `}`,
    ];
    await writeFile(script, lines.join('\n'));
    for (const ms of killedAfterMs) {
      const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
      const ended = once(child, 'exit');
      await once(child.stdout, 'data');
      await delay(ms);
      child.kill('SIGKILL');
      await ended;
    }
    const releases = existsSync(app.releases)
      ? (await readdir(app.releases)).filter((name) => !name.startsWith('.'))
      : [];
    const missing = releases.filter(
      (id) =>
        !existsSync(join(app.releases, id, 'manifest.json')) || !existsSync(join(app.releases, id, 'public/a.txt')),
    );
    expect(missing).toEqual([]);

    await app.write({ 'lib/x.ts': 'export const x = 1000;\n' });
    const built = await app.build();
    expect(built.manifest.functions.map(({ name }) => load(built, name)['default']() as number)).toEqual(
      functions.map((_, index) => 1000 + index),
    );
  },
);
