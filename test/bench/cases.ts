import { classic } from './cases/classic.ts';
import { coldApp } from './cases/cold-app.ts';
import { coldFunction } from './cases/cold-function.ts';
import { deploy } from './cases/deploy.ts';
import { edit } from './cases/edit.ts';
import { functions } from './cases/functions.ts';
import { gateway } from './cases/gateway.ts';
import { latency } from './cases/latency.ts';
import { memory } from './cases/memory.ts';
import { mysqlConfig } from './cases/mysql-config.ts';
import { mysql } from './cases/mysql.ts';
import { nginx } from './cases/nginx.ts';
import { overload } from './cases/overload.ts';
import { push } from './cases/push.ts';
import { rollback } from './cases/rollback.ts';
import { throughputCases } from './cases/throughput.ts';
import type { BenchCase } from './report.ts';

/** In the order they run in. */
export const cases: readonly BenchCase[] = [
  ...throughputCases,
  functions,
  nginx,
  gateway,
  latency,
  overload,
  coldFunction,
  coldApp,
  memory,
  edit,
  push,
  classic,
  rollback,
  deploy,
  mysqlConfig,
  mysql,
];
