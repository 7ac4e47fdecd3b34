import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { repositoryRoot } from './cli.ts';
import { writeTree } from './temp-dir.ts';

/** Type-checks the functions of the app in `dir`, `fnrun` being the types of this repository; resolves with the complaints. */
export async function runTypeScript(dir: string): Promise<string> {
  const config = {
    extends: join(repositoryRoot, 'tsconfig.json'),
    compilerOptions: {
      allowJs: true,
      module: 'preserve',
      moduleResolution: 'bundler',
      typeRoots: [join(repositoryRoot, 'node_modules/@types')],
      paths: {
        fnrun: [join(repositoryRoot, 'runtime/contract/handler.ts')],
        'fnrun/mysql': [join(repositoryRoot, 'runtime/contract/mysql.ts')],
      },
    },
    include: ['functions'],
    exclude: [],
  };
  await writeTree(dir, { 'tsconfig.check.json': JSON.stringify(config) });
  const tsc = join(repositoryRoot, 'node_modules/typescript/bin/tsc');
  const child = spawn(process.execPath, [tsc, '-p', 'tsconfig.check.json'], { cwd: dir });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => void (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => void (output += text));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', () => resolve(output));
  });
}
