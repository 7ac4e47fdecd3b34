import type { Step } from '../../step.ts';
import { packagesStep } from './base-packages.ts';
import { clockStep } from './clock.ts';
import { deployerStep } from './deployer.ts';
import { noatimeStep } from './disk/noatime.ts';
import { schedulerStep } from './disk/scheduler.ts';
import { swapStep } from './disk/swap.ts';
import { fail2banStep } from './fail2ban.ts';
import { fnrunUserStep } from './fnrun-user.ts';
import { jailProfileStep } from './jail-profile.ts';
import { journaldStep } from './journald.ts';
import { logrotateStep } from './logrotate.ts';
import { securityUpgradesStep } from './security-upgrades.ts';
import { sshdStep } from './sshd/sshd-step.ts';
import { sysctlStep } from './sysctl.ts';
import { ufwStep } from './ufw/ufw-step.ts';
import { upgradeStep } from './upgrade.ts';

/** The system below fnrun. Swap comes first: on a small machine apt needs it. The administrator is there before sshd closes other ways in. */
export const baseSteps: readonly Step[] = [
  swapStep,
  upgradeStep,
  packagesStep,
  securityUpgradesStep,
  clockStep,
  jailProfileStep,
  deployerStep,
  fnrunUserStep,
  sshdStep,
  ufwStep,
  fail2banStep,
  sysctlStep,
  schedulerStep,
  noatimeStep,
  journaldStep,
  logrotateStep,
];
