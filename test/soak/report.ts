import { trendsOf, type Trend, type Usage } from './usage.ts';

const units: Record<keyof Usage, string> = { rssMb: 'memory (MB)', fds: 'open files', threads: 'threads' };

/** Prints how the processes developed; whether all of it is flat. */
export function printTrends(
  processes: Readonly<Record<string, readonly Usage[]>>,
  figures: readonly (keyof Usage)[] = ['rssMb', 'fds', 'threads'],
): boolean {
  console.log(
    `\n  ${'process'.padEnd(8)}${'figure'.padEnd(14)}${'first third'.padStart(12)}${'last third'.padStart(12)}`,
  );
  const all: Trend[] = [];
  for (const [name, samples] of Object.entries(processes)) {
    const trends = trendsOf(samples);
    for (const figure of figures) {
      const trend = trends[figure];
      all.push(trend);
      const numbers = `${String(trend.first).padStart(12)}${String(trend.last).padStart(12)}`;
      console.log(`  ${name.padEnd(8)}${units[figure].padEnd(14)}${numbers}  ${trend.flat ? 'flat' : 'GROWS'}`);
    }
  }
  return all.every(({ flat }) => flat);
}

/** Prints what was asked for and whether it held; whether all did. */
export function printVerdict(claims: readonly (readonly [claim: string, holds: boolean])[]): boolean {
  console.log('');
  for (const [claim, holds] of claims) console.log(`  ${holds ? 'ok  ' : 'FAIL'} ${claim}`);
  const ok = claims.every(([, holds]) => holds);
  console.log(`\n${ok ? 'All of it held.' : 'Not all of it held.'}`);
  return ok;
}

/** One line of figures of a running soak. */
export function usageLine(usage: Usage): string {
  return `${usage.rssMb} MB, ${usage.fds} files, ${usage.threads} threads`;
}
