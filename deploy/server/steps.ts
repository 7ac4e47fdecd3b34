import type { Step } from './step.ts';
import { appUsersStep } from './steps/app-users.ts';
import { baseSteps } from './steps/base/base-steps.ts';
import { backupSteps, databaseSteps } from './steps/database/database-steps.ts';
import { fnrunSteps } from './steps/fnrun/fnrun-steps.ts';
import { nginxStep } from './steps/nginx/nginx-step.ts';
import { syncStep } from './steps/nginx/sync-step.ts';
import { wishesStep } from './wishes.ts';

/** Everything that setup sees to, in its order: what others stand on comes first. */
export const steps: readonly Step[] = [
  wishesStep,
  ...baseSteps,
  appUsersStep,
  ...databaseSteps,
  nginxStep,
  ...fnrunSteps,
  // Run what fnrun has installed: last.
  syncStep,
  ...backupSteps,
];
