import { setTimeout as sleep } from 'node:timers/promises';
import { setupLimits } from '../../runtime/contract/limits.ts';
import { must } from './must.ts';
import type { Machine, Ran } from './machine.ts';
import type { Change, SetupContext } from './step.ts';

/** What every apt of ours is told: wait for another one, ask nobody, keep the configuration files that somebody has changed. */
const aptCommand: readonly string[] = [
  'env',
  'DEBIAN_FRONTEND=noninteractive',
  // Ubuntu: services whose libraries were replaced are restarted without a question; ucf and apt-listchanges ask nothing either.
  'NEEDRESTART_MODE=a',
  'UCF_FORCE_CONFFOLD=1',
  'APT_LISTCHANGES_FRONTEND=none',
  'apt-get',
  '-q',
  '-y',
  '-o',
  `DPkg::Lock::Timeout=${setupLimits.aptLockSeconds}`,
  '-o',
  'Dpkg::Options::=--force-confdef',
  '-o',
  'Dpkg::Options::=--force-confold',
  // No progress bar: the output is read by a program.
  '-o',
  'Dpkg::Use-Pty=0',
];

/** Which of the packages are installed and configured. */
export async function installedPackages(machine: Machine, names: readonly string[]): Promise<Set<string>> {
  if (names.length === 0) return new Set();
  // Ends with 1 when it has never heard of one of them; what it knows it prints all the same.
  const { stdout } = await machine.run(['dpkg-query', '-W', '-f', '${db:Status-Status} ${Package}\\n', '--', ...names]);
  return new Set(
    stdout
      .split('\n')
      .filter((line) => line.startsWith('installed '))
      .map((line) => line.slice('installed '.length)),
  );
}

/** A change for each package that is missing. For the `check` of a step. */
export async function checkPackages(machine: Machine, names: readonly string[]): Promise<Change[]> {
  const there = await installedPackages(machine, names);
  return names.filter((name) => !there.has(name)).map((name) => ({ subject: name, what: `install ${name}` }));
}

/**
 * Installs those of the packages that are missing, without what they only recommend. Refreshes the lists first when
 * they are old. For the `apply` of a step. Throws FN_SETUP_FAILED.
 */
export async function installPackages(
  { machine, tell }: Pick<SetupContext, 'machine' | 'tell'>,
  names: readonly string[],
): Promise<void> {
  const there = await installedPackages(machine, names);
  const missing = names.filter((name) => !there.has(name));
  if (missing.length === 0) return;
  if ((await listsAgeHours(machine)) > setupLimits.aptListsHours) await refreshLists({ machine, tell });
  tell(`installing ${missing.join(', ')}`);
  const args = ['install', '--no-install-recommends', ...missing];
  if ((await runApt(machine, args)).code === 0) return;
  // An earlier apt may have been killed half-way, and the lists may name a version that the mirror has replaced since.
  await finishInstallations({ machine, tell });
  await refreshLists({ machine, tell });
  await mustApt(machine, args);
}

/** Runs apt-get, which asks nothing. Resolves whatever its exit code is. */
export async function runApt(machine: Machine, args: readonly string[]): Promise<Ran> {
  return machine.run([...aptCommand, ...args], { timeoutMs: setupLimits.packagesMs });
}

/** Runs an apt-get that has to succeed. Throws FN_SETUP_FAILED. */
export async function mustApt(machine: Machine, args: readonly string[]): Promise<void> {
  const ran = await runApt(machine, args);
  // Without the many options in the message.
  await must({ name: machine.name, run: async () => ran }, ['apt-get', ...args]);
}

/** Finishes what an apt that was killed has left half-done; every later apt would refuse. Throws FN_SETUP_FAILED. */
export async function finishInstallations({ machine, tell }: Pick<SetupContext, 'machine' | 'tell'>): Promise<void> {
  const argv = [
    'env',
    'DEBIAN_FRONTEND=noninteractive',
    'dpkg',
    '--force-confdef',
    '--force-confold',
    '--configure',
    '-a',
  ];
  const run = () => machine.run(argv, { timeoutMs: setupLimits.packagesMs });
  // It fails for what lacks another package; that is then for apt, which would not have begun before.
  await untilUnlocked(run, tell);
  await mustApt(machine, ['--fix-broken', 'install']);
}

/** Again while another apt holds a lock that DPkg::Lock::Timeout is not for: those of the lists and of dpkg itself. */
async function untilUnlocked(run: () => Promise<Ran>, tell: SetupContext['tell']): Promise<Ran> {
  const until = Date.now() + setupLimits.aptLockSeconds * 1000;
  let ran = await run();
  while (ran.code !== 0 && /could not get lock|locked by another process/i.test(ran.stderr) && Date.now() < until) {
    tell('waiting for another apt');
    await sleep(3_000);
    ran = await run();
  }
  return ran;
}

/** Fetches the package lists. Throws FN_SETUP_FAILED when one cannot be had: a mirror that is down is no reason to go on with half of them. */
export async function refreshLists({ machine, tell }: Pick<SetupContext, 'machine' | 'tell'>): Promise<void> {
  tell('fetching the package lists');
  const args = ['-o', 'APT::Update::Error-Mode=any', '-o', 'Acquire::Retries=3', 'update'];
  const ran = await untilUnlocked(() => runApt(machine, args), tell);
  await must({ name: machine.name, run: async () => ran }, ['apt-get', 'update']);
  // When nothing was new, apt leaves the time as it was.
  await must(machine, ['touch', '-c', '/var/lib/apt/lists']);
}

/** How old the package lists are; Infinity: there are none. */
export async function listsAgeHours(machine: Machine): Promise<number> {
  const look = [
    'ls /var/lib/apt/lists/*_Packages* >/dev/null 2>&1 || exit 44',
    'date +%s; stat -c %Y /var/lib/apt/lists /var/lib/apt/periodic/update-success-stamp 2>/dev/null; exit 0',
  ].join('\n');
  const { code, stdout } = await machine.run(['sh', '-c', look]);
  if (code !== 0) return Infinity;
  const [now = 0, ...times] = stdout.trim().split('\n').map(Number);
  return (now - Math.max(0, ...times)) / 3600;
}
