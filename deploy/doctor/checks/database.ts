import { doctorLimits } from '../../../runtime/contract/limits.ts';
import type { Finding, Severity } from '../../mysql/doctor/finding.ts';
import { output, type MachineCheck } from '../check.ts';

interface Report {
  engine: string;
  version: string;
  /** Absent: an older fnrun is there. */
  pingMs?: number;
  findings: Finding[];
}

/** What `fnrun doctor mysql` says there, in one line for each grade. */
export const databaseCheck: MachineCheck = {
  id: 'database',
  // It measures a time.
  alone: true,
  async check(context) {
    const isServer = context.wishes !== null && context.wishes.database !== 'none';
    if (context.fnrun === null) return { skipped: 'no fnrun there' };
    const ran = await output(context, [...context.fnrun, 'doctor', 'mysql', '--no-measure', '--json']);
    if (ran === null) return { skipped: 'no fnrun there' };
    const report = parseReport(ran.text);
    if (report === null) {
      const words = errorOf(ran.errors);
      if (!isServer) return { skipped: 'no database server that lets us in' };
      return {
        findings: [
          {
            id: 'database-down',
            severity: 'critical',
            what: 'the database does not answer',
            measured: `fnrun doctor mysql: ${words}`,
            todo: `systemctl status ${context.wishes!.database}; journalctl -u ${context.wishes!.database} -n 50`,
          },
        ],
      };
    }
    const { engine, version, pingMs } = report;
    const seen = `${engine} ${version}, ${report.findings.length} findings`;
    if (pingMs === undefined) return { findings: summed(report.findings), seen };
    const trip = `database ${Number(pingMs.toPrecision(2))} ms`;
    return { findings: [...summed(report.findings), ...judgePing(pingMs)], seen, trip };
  },
};

function judgePing(pingMs: number): Finding[] {
  if (pingMs <= doctorLimits.slowDatabaseMs) return [];
  return [
    {
      id: 'database-slow',
      severity: 'note',
      what: 'the database takes long to answer',
      measured: `SELECT 1: median ${Math.round(pingMs)} ms, ${doctorLimits.slowDatabaseMs} are much`,
      todo: 'fnrun doctor mysql',
    },
  ];
}

function parseReport(text: string): Report | null {
  try {
    const value = JSON.parse(text) as Partial<Report>;
    return Array.isArray(value.findings) ? (value as Report) : null;
  } catch {
    return null;
  }
}

function errorOf(text: string): string {
  try {
    return (JSON.parse(text) as { error: { message: string } }).error.message;
  } catch {
    return text.slice(0, 200);
  }
}

/** One finding for each grade; its own doctor has the rest. */
export function summed(findings: readonly Finding[]): Finding[] {
  return (['critical', 'warning'] satisfies Severity[]).flatMap((severity) => {
    const own = findings.filter((one) => one.severity === severity);
    if (own.length === 0) return [];
    return [
      {
        id: `database-${severity}`,
        severity,
        what: `the database's own doctor has ${own.length} ${severity === 'critical' ? 'grave findings' : 'things to do'}`,
        measured: own.map(({ id }) => id).join(', '),
        todo: 'fnrun doctor mysql on that machine says each with its remedy',
      },
    ];
  });
}
