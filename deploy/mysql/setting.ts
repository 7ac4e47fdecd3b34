import type { VariableName } from './variables.ts';

/** One line of the configuration, as data. */
export interface Setting {
  name: VariableName;
  /** A number of bytes when `unit` says so. A boolean is ON or OFF. */
  value: number | string | boolean;
  unit?: 'bytes';
  /** An option without a value: stands alone on its line. */
  flag?: true;
  /** Why this value, with the figures it was made from. */
  reason: string;
  /** What SHOW VARIABLES has when it is in force, where that is no plain copy of the line; null when it shows nothing. */
  shows?: { variable: string; value: string } | null;
  /** Whether SET GLOBAL changes it in a running server; else the server must be restarted. */
  dynamic: boolean;
}

/** A variable that people expect in the file, and why it is not there. */
export interface LeftOut {
  name: VariableName;
  reason: string;
}

/** A part of the file. */
export interface Section {
  title: string;
  settings: Setting[];
  leftOut: LeftOut[];
}

export const mebibyte = 2 ** 20;

export function clamp(value: number, { min, max }: { min: number; max: number }): number {
  return Math.max(min, Math.min(max, value));
}
