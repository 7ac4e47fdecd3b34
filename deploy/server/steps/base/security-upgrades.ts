import { checkUnit, enableUnit } from '../../units.ts';
import { dropIn } from './drop-in.ts';

// After 20auto-upgrades and 50unattended-upgrades: in apt's configuration the last one wins.
const path = '/etc/apt/apt.conf.d/52fnrun-unattended-upgrades';
const text = `// Written by fnrun server setup: a change here is undone by the next one. A file that sorts after this one wins over it.

// Every day: the lists, then what the distribution calls security (and, on Debian, the point releases).
// Which origins these are is left as the distribution has it: 50unattended-upgrades.
APT::Periodic::Update-Package-Lists "1";
APT::Periodic::Unattended-Upgrade "1";
// Downloaded packages do not pile up.
APT::Periodic::AutocleanInterval "7";

// No reboot by itself: an app that answers is not ended at a time that nobody chose. A machine that needs one says so in
// /run/reboot-required, at login, and in fnrun doctor.
Unattended-Upgrade::Automatic-Reboot "false";

// Old kernels fill /boot, until no upgrade works.
Unattended-Upgrade::Remove-Unused-Kernel-Packages "true";
Unattended-Upgrade::Remove-New-Unused-Dependencies "true";

// A shutdown waits for one package at most, not for all of them.
Unattended-Upgrade::MinimalSteps "true";
`;

const timers = ['apt-daily.timer', 'apt-daily-upgrade.timer'];

export const securityUpgradesStep = dropIn({
  id: 'security-upgrades',
  title: 'security upgrades are installed every day',
  files: () => [{ path, text }],
  more: async ({ machine }) => (await Promise.all(timers.map((timer) => checkUnit(machine, timer)))).flat(),
  activate: async ({ machine }) => {
    for (const timer of timers) await enableUnit(machine, timer);
  },
});
