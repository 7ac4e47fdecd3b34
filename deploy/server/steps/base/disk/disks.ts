/** A disk and its scheduler. */
export interface Disk {
  name: string;
  /** Queues of the hardware. */
  queues: number;
  /** The one in force. */
  scheduler: string;
  /** Those that the kernel has for it. */
  available: readonly string[];
}

/** Reads lines of name, number of queues, and the text of `queue/scheduler`: `vda 1 [mq-deadline] none`. */
export function parseDisks(text: string): Disk[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [name = '', queues = '0', ...schedulers] = line.trim().split(/\s+/);
      return {
        name,
        queues: Number(queues),
        scheduler: schedulers.find((each) => each.startsWith('['))?.slice(1, -1) ?? '',
        available: schedulers.map((each) => each.replace(/^\[|\]$/g, '')),
      };
    });
}

/** The disks whose scheduler does not fit, each with the one that does and that the kernel has. */
export function misfits(disks: readonly Disk[]): (Disk & { wanted: string })[] {
  return disks
    .filter(({ name, queues }) => /^(nvme\d+n\d+|vd|sd|xvd)/.test(name) && queues > 0)
    .map((disk) => ({ ...disk, wanted: disk.name.startsWith('nvme') || disk.queues > 1 ? 'none' : 'mq-deadline' }))
    .filter(({ scheduler, available, wanted }) => scheduler !== wanted && available.includes(wanted));
}
