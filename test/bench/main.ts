/** `npm run bench -- [case …] [options]`: see docs/benchmarks.md. Figures go to standard output, progress to standard error. */
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs, styleText } from 'node:util';
import { bundleDist } from '../../cli/build/bundle.ts';
import { cases } from './cases.ts';
import { environmentLines, readEnvironment } from './environment.ts';
import type { BenchCase, Figure, NotMeasured } from './report.ts';
import { figureLine, markdown, targetTable } from './tables.ts';
import { ensure } from './tools.ts';

const usage = `Usage: npm run bench -- [case …] [options]

  --rounds N     rounds of a comparison (5)
  --seconds N    load on one side in one round (what the case says, 2 to 5)
  --json         one JSON record a line: the environment, each figure, what was not measured
  --markdown     README's tables at the end
  --profile DIR  CPU profiles of fnrun's app host and its threads; measures fnrun alone

Cases (all when none is named):
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    markdown: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string' },
    profile: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  },
});

async function main(): Promise<number> {
  const rounds = Number(values.rounds);
  const seconds = values.seconds === undefined ? undefined : Number(values.seconds);
  const unknown = positionals.find((name) => !cases.some((entry) => entry.name === name));
  const isCount = (value: number): boolean => Number.isInteger(value) && value >= 1;
  if (
    values.help === true ||
    unknown !== undefined ||
    !isCount(rounds) ||
    (seconds !== undefined && !isCount(seconds))
  ) {
    if (unknown !== undefined) console.error(`bench: there is no case "${unknown}"`);
    console.error(usage + cases.map((entry) => `  ${entry.name.padEnd(14)} ${entry.summary}`).join('\n'));
    return values.help === true ? 0 : 2;
  }
  const startedAtMs = Date.now();
  const chosen = cases.filter((entry) => positionals.length === 0 || positionals.includes(entry.name));
  const profile = values.profile === undefined ? undefined : resolve(values.profile);
  if (profile !== undefined) await mkdir(profile, { recursive: true });
  await prepare(chosen);
  const figures: Figure[] = [];
  const missing: NotMeasured[] = [];
  const failed: string[] = [];
  for (const entry of chosen) {
    console.error(`${entry.name}: ${entry.summary}`);
    try {
      for (const need of entry.needs) await ensure(need, { say });
      await entry.run({
        rounds,
        ...(seconds !== undefined && { seconds }),
        ...(profile !== undefined && { profile }),
        say,
        report(figure) {
          figures.push(figure);
          print('figure', figure, figureLine(figure));
        },
        missing(what) {
          missing.push(what);
          print('not-measured', what, `  ${what.side}: not measured: ${what.why}`);
        },
      });
    } catch (error) {
      // The others are worth having all the same.
      failed.push(entry.name);
      missing.push({
        case: entry.name,
        side: 'all',
        why: error instanceof Error ? (error.stack ?? '') : String(error),
      });
      print('not-measured', missing.at(-1)!, `  not measured: ${missing.at(-1)!.why}`);
    }
  }
  close(figures, { missing, minutes: (Date.now() - startedAtMs) / 60_000 });
  return failed.length === 0 ? 0 : 1;
}

async function prepare(chosen: readonly BenchCase[]): Promise<void> {
  await bundleDist(join(import.meta.dirname, '../..'));
  // What cannot be had now fails the case that needs it, with the reason; the others run.
  for (const need of new Set(chosen.flatMap(({ needs }) => needs))) await ensure(need, { say }).catch(() => {});
  const environment = await readEnvironment();
  print('environment', environment, environmentLines(environment).join('\n'));
  if (environment.load > environment.cores / 2)
    say(`the machine is busy with something else (load ${environment.load}): what is measured now is worth little`);
}

function close(
  figures: readonly Figure[],
  { missing, minutes }: { missing: readonly NotMeasured[]; minutes: number },
): void {
  if (values.json) return;
  console.log(`\nTargets (took ${minutes.toFixed(1)} minutes)\n${targetTable(figures).join('\n')}`);
  for (const { case: name, side, why } of missing)
    console.log(`  ${name}, ${side}: not measured: ${why.split('\n')[0]}`);
  if (values.markdown) console.log(`\n${markdown(figures).join('\n')}`);
}

function say(line: string): void {
  console.error(styleText('dim', `  ${line}`, { stream: process.stderr }));
}

/** One record of the run, for programs or for people. */
function print(type: string, record: object, text: string): void {
  console.log(values.json ? JSON.stringify({ type, ...record }) : text);
}

process.exitCode = await main();
