import { doctorLimits } from '../../../runtime/contract/limits.ts';
import type { Finding } from '../../mysql/doctor/finding.ts';
import { shell, type MachineCheck } from '../check.ts';

const look =
  'for dir; do [ -d "$dir" ] && df -P -k "$dir" | tail -n 1 | sed "s|^|blocks |" && df -P -i "$dir" | tail -n 1 | sed "s|^|inodes |"; done; exit 0';

/** Space and inodes of the disks that the machine lives by. */
export const diskCheck: MachineCheck = {
  id: 'disk',
  async check(context) {
    const { home, backups } = context.places;
    const disks = readDisks(await shell(context, look, '/', home, '/var/log', '/var/lib/mysql', '/tmp', backups));
    if (disks.length === 0) return { skipped: 'no df' };
    const seen = disks.map(({ mount, usedShare }) => `${mount} ${Math.round(usedShare * 100)} %`).join(', ');
    return { findings: disks.flatMap(judgeDisk), seen };
  },
};

export interface Disk {
  mount: string;
  freeMb: number;
  usedShare: number;
  /** Null: the file system has no fixed number. */
  inodeShare: number | null;
}

/** Reads df's lines, each behind `blocks` or `inodes`; a disk that was named twice counts once. */
export function readDisks(text: string): Disk[] {
  const disks = new Map<string, Disk>();
  for (const line of text.split('\n')) {
    const match = /^(blocks|inodes) .*?\s(\d+|-)\s+(\d+|-)\s+(\d+|-)\s+(\d+%|-)\s+(\/.*)$/.exec(line);
    if (match === null) continue;
    const [, kind, total = '', used = '', free = '', , mount = ''] = match;
    const disk = disks.get(mount) ?? { mount, freeMb: 0, usedShare: 0, inodeShare: null };
    const share = Number(used) / Math.max(1, Number(used) + Number(free));
    if (kind === 'blocks') disks.set(mount, { ...disk, freeMb: Math.floor(Number(free) / 1024), usedShare: share });
    else if (Number(total) > 0) disks.set(mount, { ...disk, inodeShare: share });
  }
  return [...disks.values()];
}

export function judgeDisk({ mount, freeMb, usedShare, inodeShare }: Disk): Finding[] {
  const findings: Finding[] = [];
  const { diskWarnShare, diskFullShare, diskFreeMb } = doctorLimits;
  const percent = (share: number): string => `${Math.round(share * 100)} %`;
  // A tenth of a big disk is a lot: both have to be little.
  if (usedShare >= diskFullShare || (usedShare >= diskWarnShare && freeMb < diskFreeMb * 4) || freeMb < diskFreeMb) {
    findings.push({
      id: 'disk-full',
      severity: usedShare >= diskFullShare || freeMb < diskFreeMb / 4 ? 'critical' : 'warning',
      what: `the disk of ${mount} is nearly full: pushes, logs and databases stop when it is`,
      measured: `df: ${percent(usedShare)} used, ${freeMb} MB free`,
      todo: `du -xh --max-depth=2 ${mount} | sort -h | tail; apt-get clean; journalctl --vacuum-size=200M`,
    });
  }
  if (inodeShare !== null && inodeShare >= diskWarnShare) {
    findings.push({
      id: 'inodes-used-up',
      severity: inodeShare >= diskFullShare ? 'critical' : 'warning',
      what: `the disk of ${mount} has nearly as many files as it can have`,
      measured: `df -i: ${percent(inodeShare)} used`,
      todo: `du --inodes -x --max-depth=3 ${mount} | sort -n | tail`,
    });
  }
  return findings;
}
