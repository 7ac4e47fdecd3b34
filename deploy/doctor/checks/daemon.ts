import { dirname } from 'node:path/posix';
import { doctorLimits } from '../../../runtime/contract/limits.ts';
import type { HealthBody } from '../../../router/control/server-types.ts';
import type { ProcessBody, ProcessesBody } from '../../../router/control/types.ts';
import type { Finding } from '../../mysql/doctor/finding.ts';
import { askControl } from '../ask-control.ts';
import { shell, type DoctorContext, type MachineCheck } from '../check.ts';

const look = `
[ -e "$1/run" ] && echo home || echo
if [ -L "$2" ]; then basename "$(readlink "$2")"; else echo; fi
du -sm --total "$1"/apps/*/releases 2>/dev/null | tail -n 1 | cut -f 1`;

/** Whether the server answers, is the version that is installed, and has its apps in order. */
export const daemonCheck: MachineCheck = {
  id: 'fnrun',
  async check(context) {
    const { places, wishes, now } = context;
    const [home = '', installed = '', releasesMb = ''] = (
      await shell(context, look, places.home, places.current)
    ).split('\n');
    if (home === '' && wishes === null) return { skipped: `no server in ${places.home}` };
    const health = await askControl<HealthBody>(context, '/v1/health');
    if (health === null) return { skipped: 'no Node there to ask the server with' };
    if ('error' in health) {
      if (health.error === 'EACCES') return { skipped: 'the control socket is not yours' };
      // A folder that was used once is no server that should run.
      return wishes === null
        ? { skipped: `no server runs in ${places.home}` }
        : { findings: [down(context, health.error)] };
    }
    const processes = await askControl<ProcessesBody>(context, '/v1/ps');
    if (processes === null || 'error' in processes)
      throw new Error(`the server does not tell of its apps: ${processes?.error}`);
    const { version, pid } = health.body;
    const program = (await shell(context, 'readlink "/proc/$1/exe"', String(pid))).trim();
    const running = folderBeside(places.current, program);
    const findings = [
      ...judgeVersion({ running, installed: wishes === null ? null : installed }),
      ...judgeBuilds(health.body.builds),
      ...judgeReleases(Number(releasesMb || 0), places.home),
      ...processes.body.apps.flatMap((app) => judgeApp(app, { now: now() })),
    ];
    return { findings, seen: `${version}, ${processes.body.apps.length} apps, ${releasesMb || '0'} MB of releases` };
  },
};

function down({ places }: DoctorContext, why: string): Finding {
  return {
    id: 'fnrun-down',
    severity: 'critical',
    what: 'the server of fnrun does not answer',
    measured: `${places.home}/run/control.sock: ${why}`,
    todo: 'systemctl status fnrun; journalctl -u fnrun -n 100',
  };
}

/** Which of the versions beside `current` a program is in, by the name of its folder; null: in none. */
export function folderBeside(current: string, program: string): string | null {
  const versions = `${dirname(current)}/`;
  return program.startsWith(versions) ? (program.slice(versions.length).split('/')[0] ?? null) : null;
}

/** Folders: the version, and a hash of what was uploaded. Null: not known. */
export function judgeVersion({ running, installed }: { running: string | null; installed: string | null }): Finding[] {
  if (running === null || installed === null || installed === '' || installed === running) return [];
  return [
    {
      id: 'fnrun-version',
      severity: 'warning',
      what: `fnrun ${running} runs, ${installed} is installed`,
      measured: '/proc/PID/exe of the server, and where /opt/fnrun/current leads to',
      todo: 'systemctl restart fnrun; connections wait meanwhile',
    },
  ];
}

/** `undefined`: a server of before this was told. */
export function judgeBuilds(builds: HealthBody['builds'] | undefined): Finding[] {
  if (builds === undefined || builds === null || builds.jailed) return [];
  return [
    {
      id: 'builds-without-jail',
      severity: builds.wanted ? 'warning' : 'note',
      what: 'builds, with the packages that they install, may read what the server may',
      measured: builds.note,
      todo: builds.wanted
        ? 'fnrun server setup for this machine mends what it knows of; docs/building.md has the rest'
        : 'take "jail": false out of config.json, unless it has a reason',
    },
  ];
}

function judgeReleases(megabytes: number, home: string): Finding[] {
  if (megabytes < doctorLimits.releasesMb) return [];
  return [
    {
      id: 'releases-large',
      severity: 'note',
      what: 'the releases of all apps take much of the disk',
      measured: `du ${home}/apps/*/releases: ${megabytes} MB`,
      todo: 'keep fewer: releasesKept in config.json; remove what nobody uses: fnrun apps',
    },
  ];
}

export function judgeApp(
  { app, state, exits, retryAt, stats, release }: ProcessBody,
  { now }: { now: Date },
): Finding[] {
  const findings: Finding[] = [];
  const recent = exits.filter(({ time }) => now.getTime() - Date.parse(time) < 3_600_000);
  const last = exits[0];
  if (state === 'backoff') {
    findings.push({
      id: 'app-crashing',
      severity: 'critical',
      what: `${app} cannot start and answers 503`,
      measured: `fnrun ps: ${last?.reason ?? 'it ended'}${retryAt === null ? '' : `, next try at ${retryAt}`}`,
      todo: `fnrun logs ${app}; fnrun rollback ${app} goes back to the release before`,
    });
  } else if (recent.length >= doctorLimits.appEndsRecent) {
    findings.push({
      id: 'app-ends-often',
      severity: 'warning',
      what: `the process of ${app} has ended ${recent.length} times in the last hour`,
      measured: `fnrun ps: ${last!.reason}`,
      todo: `fnrun ps ${app}; fnrun logs ${app}`,
    });
  }
  const broken = (stats?.functions ?? []).filter((fn) => fn.state !== 'ok');
  if (broken.length > 0) {
    findings.push({
      id: 'function-failing',
      severity: 'warning',
      what: `${broken.length} ${broken.length === 1 ? 'function' : 'functions'} of ${app} refuse requests: ${broken.map(({ name }) => name).join(', ')}`,
      measured: `fnrun ps: ${broken[0]!.reason ?? broken[0]!.state}`,
      todo: `fnrun logs ${app} --function ${broken[0]!.name}`,
    });
  }
  if (release === null) {
    findings.push({
      id: 'app-without-release',
      severity: 'note',
      what: `${app} has nothing live yet`,
      measured: 'fnrun ps: no release',
      todo: 'push to it, or fnrun apps remove',
    });
  }
  return findings;
}
