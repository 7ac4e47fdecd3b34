import { checkPackages, installPackages } from '../../packages.ts';
import type { Step } from '../../step.ts';

/** What each of them is for. */
const packages: Readonly<Record<string, string>> = {
  'ca-certificates': 'npm and ACME over TLS',
  curl: 'probes of setup and doctor',
  git: 'pushes',
  'openssh-server': 'pushes, and the administrator',
  sudo: 'the administrator becomes root',
  nginx: 'in front of the apps',
  ufw: 'the firewall',
  fail2ban: 'whoever keeps knocking at ssh is shut out for a while',
  'python3-systemd': 'fail2ban reads the journal with it, and only recommends it',
  nftables: 'fail2ban shuts out with it',
  'unattended-upgrades': 'security upgrades without a person',
  bubblewrap: 'the jail of builds',
  acl: 'setfacl: the folders of apps, which have users of their own',
  logrotate: 'the logs of nginx',
  procps: 'settings of the kernel',
};

export const packagesStep: Step = {
  id: 'packages',
  title: 'the packages that a server of fnrun needs are installed',
  check: ({ machine }) => checkPackages(machine, Object.keys(packages)),
  apply: (context) => installPackages(context, Object.keys(packages)),
};
