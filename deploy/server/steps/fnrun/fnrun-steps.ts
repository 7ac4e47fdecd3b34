import type { Step } from '../../step.ts';
import { adminKeysStep } from './admin-keys.ts';
import { programStep } from './program.ts';
import { serviceStep } from './service.ts';

/** fnrun itself. */
export const fnrunSteps: readonly Step[] = [programStep, serviceStep, adminKeysStep];
