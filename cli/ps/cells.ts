const MiB = 2 ** 20;

/** `141/400 MB`: what limits count in, 1024² bytes. */
export function memoryCell(bytes: number, limitMb: number | null): string {
  const used = Math.round(bytes / MiB);
  return limitMb === null ? `${used} MB` : `${used}/${limitMb} MB`;
}

/** `3/16`; without a limit `3`. */
export function ofCell(used: number | null | undefined, most: number | null | undefined): string {
  if (used === null || used === undefined) return '-';
  return most === null || most === undefined ? String(used) : `${used}/${most}`;
}

/** `0.35`, `0.35/2`. */
export function cpuCell(cpus: number, most: number | null): string {
  return ofCell(Math.round(cpus * 100) / 100, most);
}
