import type { Finding } from '../../mysql/doctor/finding.ts';
import { output, shell, type MachineCheck } from '../check.ts';

/** What a server of fnrun's needs to run, and to start by itself. Not ssh.service: on Ubuntu a socket starts it. */
const needed = ['fnrun.service', 'nginx.service'];
const timers = ['fnrun-sync.path', 'fnrun-sync.timer', 'fnrun-backup.timer'];

const look =
  'for unit; do systemctl show "$unit" -p Id,LoadState,ActiveState,SubState,UnitFileState,NRestarts,Result | tr "\\n" " "; echo; done; exit 0';

/** Units that failed, do not run or would not start. */
export const unitsCheck: MachineCheck = {
  id: 'units',
  async check(context) {
    if (!context.facts.systemd) return { skipped: 'no systemd' };
    const ran = await output(context, ['systemctl', '--failed', '--plain', '--no-legend', '--no-pager']);
    if (ran === null || ran.code !== 0) throw new Error(`systemctl --failed: ${ran?.errors ?? 'not there'}`);
    const failed = readFailed(ran.text);
    const findings = failed.map(failedFinding);
    const { wishes } = context;
    if (wishes !== null) {
      const database = { mariadb: ['mariadb.service'], mysql: ['mysql.service'], none: [] }[wishes.database];
      const expected = [...needed, ...database];
      const states = readUnits(await shell(context, look, ...expected, ...timers));
      const judged = states.filter(({ id }) => !failed.includes(id));
      findings.push(...judged.flatMap((unit) => judgeUnit(unit, { needed: expected.includes(unit.id) })));
    }
    return { findings, seen: `${failed.length} failed` };
  },
};

/** Names in what `systemctl --failed --plain --no-legend` prints. */
export function readFailed(text: string): string[] {
  return text.split('\n').flatMap((line) => /^[●*\s]*(\S+\.\w+)\s+\S+\s+failed/.exec(line)?.[1] ?? []);
}

function failedFinding(unit: string): Finding {
  return {
    id: 'unit-failed',
    severity: unit === 'fnrun.service' || unit === 'nginx.service' ? 'critical' : 'warning',
    what: `${unit} has failed`,
    measured: 'systemctl --failed',
    todo: `journalctl -u ${unit} -n 50; when it is mended: systemctl restart ${unit}`,
  };
}

export interface Unit {
  id: string;
  load: string;
  active: string;
  enabled: string;
  restarts: number;
}

/** Reads a line of `NAME=value` for each unit. */
export function readUnits(text: string): Unit[] {
  return text.split('\n').flatMap((line) => {
    const value = (name: string): string => new RegExp(`(?:^| )${name}=(\\S*)`).exec(line)?.[1] ?? '';
    const id = value('Id');
    return id === ''
      ? []
      : [
          {
            id,
            load: value('LoadState'),
            active: value('ActiveState'),
            enabled: value('UnitFileState'),
            restarts: Number(value('NRestarts') || 0),
          },
        ];
  });
}

export function judgeUnit({ id, load, active, enabled, restarts }: Unit, { needed }: { needed: boolean }): Finding[] {
  const start = `systemctl enable --now ${id}`;
  if (load !== 'loaded') {
    return [
      {
        id: 'unit-missing',
        severity: needed ? 'critical' : 'warning',
        what: `there is no ${id}`,
        measured: `systemctl show: ${load}`,
        todo: 'fnrun server setup makes it',
      },
    ];
  }
  if (active !== 'active' && active !== 'activating') {
    return [
      {
        id: 'unit-not-running',
        severity: needed ? 'critical' : 'warning',
        what: `${id} does not run`,
        measured: `systemctl show: ${active}`,
        todo: start,
      },
    ];
  }
  const findings: Finding[] = [];
  if (enabled === 'disabled') {
    findings.push({
      id: 'unit-not-enabled',
      severity: 'warning',
      what: `${id} will not start with the machine`,
      measured: 'systemctl show: disabled',
      todo: `systemctl enable ${id}`,
    });
  }
  if (restarts > 0) {
    findings.push({
      id: 'unit-restarted',
      severity: 'warning',
      what: `${id} ended by itself and was started again`,
      measured: `systemctl show: ${restarts} times since the machine started`,
      todo: `journalctl -u ${id} -p warning`,
    });
  }
  return findings;
}
