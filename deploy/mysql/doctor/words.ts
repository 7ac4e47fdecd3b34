import { uptimeSeconds, type ServerReading } from './reading.ts';

/** `in 3 d since its start`: the time that totals cover. */
export function sinceStart(reading: ServerReading): string {
  return `in ${duration(uptimeSeconds(reading))} since its start`;
}

/** `45 s`, `12 min`, `5 h`, `3 d`. */
export function duration(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3_600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}

/** `12.3 %`. */
export function percent(share: number): string {
  return `${Number((share * 100).toPrecision(3))} %`;
}

/** `512 MB` of bytes. */
export function megabytes(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MB`;
}

/** Three digits: `0.25`, `12.3`, `1230`. */
export function figure(value: number): string {
  return String(value >= 100 ? Math.round(value) : Number(value.toPrecision(3)));
}
