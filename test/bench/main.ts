/** `npm run bench [name …] [--json] [--rounds N]`: each case in turn; figures as a table or as JSON lines. */
import { join, resolve } from 'node:path';
import { parseArgs, styleText } from 'node:util';
import { bundleDist } from '../../cli/build/bundle.ts';
import { coldFunction } from './cases/cold-function.ts';
import { edit } from './cases/edit.ts';
import { json } from './cases/json.ts';
import { push } from './cases/push.ts';
import type { BenchCase, Figure } from './report.ts';
import { ensureWrk } from './wrk.ts';

const cases: readonly BenchCase[] = [json, coldFunction, edit, push];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '5' },
    profile: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  },
});

async function main(): Promise<number> {
  const rounds = Number(values.rounds);
  const unknown = positionals.find((name) => !cases.some((entry) => entry.name === name));
  if (values.help === true || unknown !== undefined || !Number.isInteger(rounds) || rounds < 1) {
    if (unknown !== undefined) console.error(`bench: there is no case "${unknown}"`);
    console.error('Usage: npm run bench -- [case …] [--json] [--rounds N]\n');
    for (const entry of cases) console.error(`  ${entry.name.padEnd(14)} ${entry.summary}`);
    return values.help === true ? 0 : 2;
  }
  // Progress goes to standard error, figures to standard output.
  const say = (line: string): void => console.error(styleText('dim', `  ${line}`, { stream: process.stderr }));
  await bundleDist(join(import.meta.dirname, '../..'));
  const chosen = cases.filter((entry) => positionals.length === 0 || positionals.includes(entry.name));
  if (chosen.some((entry) => entry.load)) await ensureWrk(say);
  for (const entry of chosen) {
    console.error(`${entry.name}: ${entry.summary}`);
    await entry.run({
      rounds,
      ...(values.profile !== undefined && { profile: resolve(values.profile) }),
      say,
      report: print,
    });
  }
  return 0;
}

function print(figure: Figure): void {
  if (values.json) {
    console.log(JSON.stringify(figure));
    return;
  }
  const target = figure.target === undefined ? '' : `  (target ${figure.target})`;
  console.log(`  ${figure.name.padEnd(46)} ${String(figure.value).padStart(8)} ${figure.unit}${target}`);
}

process.exitCode = await main();
