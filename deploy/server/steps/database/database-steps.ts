import type { Step } from '../../step.ts';
import { databaseAccessStep } from './access-step.ts';
import { backupStep } from './backup-step.ts';
import { databaseConfigStep } from './config-step.ts';
import { databaseServerStep } from './server-step.ts';

/** The database server. */
export const databaseSteps: readonly Step[] = [databaseServerStep, databaseConfigStep, databaseAccessStep];

/** After fnrun itself is installed, which does it. */
export const backupSteps: readonly Step[] = [backupStep];
