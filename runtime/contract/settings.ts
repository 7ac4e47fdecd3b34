import { httpLimits, invocationLimits, socketLimits, workerLimits } from './limits.ts';
import type { Config } from './handler.ts';

/** Settings of a function with every default filled in. */
export interface FunctionSettings {
  /** Upper case; null: whatever the module's shape answers. */
  methods: string[] | null;
  timeoutMs: number;
  memoryMb: number;
  concurrency: number;
  minWorkers: number;
  maxWorkers: number;
  /** Null: true for a `{ fetch }` export, else false. */
  subtree: boolean | null;
  /** Name of the Lambda export; null: `handler` when it is a function. */
  handler: string | null;
  payload: '1.0' | '2.0';
  maxBodyBytes: number;
  /** Null: no limit. */
  maxResponseBytes: number | null;
  /** Origins whose pages may open a WebSocket, beside those of the same host; null: none. */
  origins: string[] | null;
  maxMessageBytes: number;
  socketIdleMs: number;
  /** Path that must answer before a release goes live; null: loading is enough. */
  check: string | null;
}

/** Settings as written by the user: any subset. */
export type FunctionSettingsInput = Partial<Config>;

/** What is wrong with one key of a settings object. */
export interface SettingsIssue {
  kind: 'bad-value' | 'unknown-key';
  key: string;
  /** For example: `timeoutMs must be a whole number from 1 to 900000 (ms): it is "10s"`. */
  message: string;
}

interface IntegerRule {
  min: number;
  max: number;
  unit: string;
}

const integers: Record<string, IntegerRule> = {
  timeoutMs: { min: 1, max: invocationLimits.timeoutMsMax, unit: 'ms' },
  memoryMb: { min: 16, max: workerLimits.memoryMbMax, unit: 'MB' },
  concurrency: { min: 1, max: workerLimits.concurrencyMax, unit: 'invocations' },
  minWorkers: { min: 0, max: workerLimits.maxWorkersMax, unit: 'workers' },
  maxWorkers: { min: 1, max: workerLimits.maxWorkersMax, unit: 'workers' },
  maxBodyBytes: { min: 0, max: 1024 * 1024 * 1024, unit: 'bytes' },
  maxResponseBytes: { min: 0, max: httpLimits.responseBodyBytesMax, unit: 'bytes' },
  maxMessageBytes: { min: 1, max: socketLimits.messageBytesMax, unit: 'bytes' },
  socketIdleMs: { min: socketLimits.idleMsMin, max: socketLimits.idleMsMax, unit: 'ms' },
};

/** Every key a function's settings may have. */
export const settingKeys: readonly string[] = [
  ...Object.keys(integers),
  'methods',
  'subtree',
  'handler',
  'payload',
  'origins',
  'check',
];

/** The settings of a function that sets nothing. */
export const defaultSettings: FunctionSettings = {
  methods: null,
  timeoutMs: invocationLimits.timeoutMs,
  memoryMb: workerLimits.memoryMb,
  concurrency: workerLimits.concurrency,
  minWorkers: 0,
  maxWorkers: workerLimits.maxWorkers,
  subtree: null,
  handler: null,
  payload: '2.0',
  maxBodyBytes: httpLimits.requestBodyBytes,
  maxResponseBytes: null,
  origins: null,
  maxMessageBytes: socketLimits.messageBytes,
  socketIdleMs: socketLimits.idleMs,
  check: null,
};

// RFC 9110, section 5.6.2: a method is a token.
const methodToken = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** A request target in origin form, as it stands in a request line. */
const checkPath = /^\/[\x21-\x22\x24-\x7e]{0,1023}$/;

/** Checks each known key of `input`; unknown keys are listed as such and left to the caller to judge. */
export function checkSettings(input: unknown): SettingsIssue[] {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    return [{ kind: 'bad-value', key: '', message: `config must be an object: it is ${show(input)}` }];
  }
  const issues: SettingsIssue[] = [];
  for (const [key, value] of Object.entries(input)) {
    if (!settingKeys.includes(key)) {
      issues.push({ kind: 'unknown-key', key, message: `${key} is no setting of fnrun` });
      continue;
    }
    const wanted = value === undefined ? null : wantedOf(key, value);
    if (wanted !== null) {
      issues.push({ kind: 'bad-value', key, message: `${key} must be ${wanted}: it is ${show(value)}` });
    }
  }
  const { minWorkers, maxWorkers } = input as FunctionSettingsInput;
  const most = maxWorkers ?? workerLimits.maxWorkers;
  if (issues.length === 0 && minWorkers !== undefined && minWorkers > most) {
    issues.push({
      kind: 'bad-value',
      key: 'minWorkers',
      message: `minWorkers must not be above maxWorkers (${most}): it is ${minWorkers}`,
    });
  }
  return issues;
}

/** What `key` should have been, or null when `value` fits. */
function wantedOf(key: string, value: unknown): string | null {
  const rule = integers[key];
  if (rule !== undefined) {
    const fits = Number.isInteger(value) && (value as number) >= rule.min && (value as number) <= rule.max;
    return fits ? null : `a whole number from ${rule.min} to ${rule.max} (${rule.unit})`;
  }
  switch (key) {
    case 'methods': {
      const fits =
        Array.isArray(value) && value.length > 0 && value.every((m) => typeof m === 'string' && methodToken.test(m));
      return fits ? null : 'a list of HTTP methods such as ["GET", "POST"]';
    }
    case 'origins':
      return Array.isArray(value) && value.every(isOrigin) ? null : 'a list of origins such as ["https://example.org"]';
    case 'check':
      return typeof value === 'string' && checkPath.test(value) ? null : 'a path such as "/health"';
    case 'subtree':
      return typeof value === 'boolean' ? null : 'true or false';
    case 'handler':
      return typeof value === 'string' && value !== '' ? null : 'the name of an export';
    default:
      return value === '1.0' || value === '2.0' ? null : '"1.0" or "2.0"';
  }
}

/** Defaults, then `layers` in turn; a later layer wins. The layers must have passed `checkSettings`. */
export function mergeSettings(...layers: FunctionSettingsInput[]): FunctionSettings {
  const merged: Record<string, unknown> = { ...defaultSettings };
  for (const layer of layers) {
    for (const [key, value] of Object.entries(layer)) {
      if (value !== undefined && settingKeys.includes(key)) merged[key] = value;
    }
  }
  const settings = merged as unknown as FunctionSettings;
  const methods = settings.methods === null ? null : settings.methods.map((m) => m.toUpperCase());
  return { ...settings, methods };
}

/** As a browser writes it in the Origin header; `*` is any. */
function isOrigin(value: unknown): boolean {
  if (value === '*') return true;
  return typeof value === 'string' && URL.canParse(value) && new URL(value).origin === value && value !== 'null';
}

function show(value: unknown): string {
  const text = typeof value === 'bigint' ? `${value}n` : (JSON.stringify(value) ?? String(value));
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
