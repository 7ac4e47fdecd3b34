/** `npm run soak [-- CASE] [--minutes N]`: what takes too long for `npm test`. Exits with 1 when a promise did not hold. */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { bundleDist } from '../../cli/build/bundle.ts';
import { churnSoak } from './churn.ts';
import { databaseSoak } from './database.ts';
import { halfLoad } from './half-load.ts';
import { killSoak } from './kills.ts';
import { overloadSoak } from './overload.ts';

const cases: Record<string, { summary: string; run: (options: { minutes: number }) => Promise<boolean> }> = {
  'half-load': { summary: 'half of the peak load, a deployment every 5 s, a dying thread every second', run: halfLoad },
  churn: { summary: '2,000 threads that end and 10,000 switches between two releases', run: churnSoak },
  kills: { summary: 'the server killed a hundred times, at every step of a push under load', run: killSoak },
  database: {
    summary: '100 functions with 4 workers each, previews and switches, at a server with 151 connections',
    run: databaseSoak,
  },
  overload: { summary: 'three times what a function can carry, for a minute', run: overloadSoak },
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { minutes: { type: 'string', default: '10' }, help: { type: 'boolean', short: 'h' } },
});

async function main(): Promise<number> {
  const minutes = Number(values.minutes);
  const name = positionals[0] ?? 'half-load';
  const chosen = cases[name];
  if (values.help === true || chosen === undefined || !(minutes > 0) || positionals.length > 1) {
    if (chosen === undefined) console.error(`soak: there is no case "${name}"`);
    console.error('Usage: npm run soak -- [case] [--minutes N]\n');
    for (const [each, { summary }] of Object.entries(cases)) console.error(`  ${each.padEnd(12)} ${summary}`);
    return values.help === true ? 0 : 2;
  }
  await bundleDist(join(import.meta.dirname, '../..'));
  console.log(`${name}: ${chosen.summary}`);
  return (await chosen.run({ minutes })) ? 0 : 1;
}

process.exitCode = await main();
