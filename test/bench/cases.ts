import { coldFunction } from './cases/cold-function.ts';
import { edit } from './cases/edit.ts';
import { push } from './cases/push.ts';
import { throughputCases } from './cases/throughput.ts';
import type { BenchCase } from './report.ts';

/** In the order they run in. */
export const cases: readonly BenchCase[] = [...throughputCases, coldFunction, edit, push];
