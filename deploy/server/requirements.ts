import { FnrunError } from '../../runtime/contract/errors.ts';
import { setupLimits } from '../../runtime/contract/limits.ts';
import type { MachineFacts } from './facts.ts';

const systems: readonly string[] = ['debian 12', 'debian 13', 'ubuntu 24.04'];

/** Throws FN_SETUP_FAILED with every reason why the machine cannot be set up; nothing has been changed then. */
export function checkMachine(facts: MachineFacts, { name }: { name: string }): void {
  const reasons = whyNot(facts);
  if (reasons.length === 0) return;
  throw new FnrunError('FN_SETUP_FAILED', `${name} cannot be set up: ${reasons.join('; ')}`, {
    hint: 'fnrun server setup takes a KVM machine with Debian 12, Debian 13 or Ubuntu 24.04; nothing has been changed',
  });
}

/** The reasons, a few words each; empty: it can. */
export function whyNot(facts: MachineFacts): string[] {
  const { os, version, memoryMb, diskFreeMb, installed } = facts;
  const { memoryMbMin, diskMbMin, diskMbMinAgain } = setupLimits;
  const diskMb = installed ? diskMbMinAgain : diskMbMin;
  const reasons: (string | false)[] = [
    !systems.includes(`${os} ${version}`) && `it runs ${`${os} ${version}`.trim() || 'an unknown system'}`,
    !facts.root && 'the commands do not run as root there',
    !facts.systemd && 'systemd does not run it',
    facts.arch !== 'x64' && facts.arch !== 'arm64' && `there is no Node for its architecture, ${facts.arch}`,
    memoryMb < memoryMbMin && `it has ${memoryMb} MB of memory, at least ${memoryMbMin} are needed`,
    diskFreeMb < diskMb && `${diskFreeMb} MB of its disk are free, at least ${diskMb} are needed`,
  ];
  return reasons.filter((reason) => reason !== false);
}
