import { styleText } from 'node:util';
import type { AccessFields, LogRecord } from '../runtime/contract/log.ts';

/** How a log record is shown. */
export interface LogLineOptions {
  color: boolean;
  /** Whether warnings and errors end with the id of their request, which its client was told. @default false */
  requestIds?: boolean;
}

const levelStyle = { debug: 'gray', info: 'cyan', warn: 'yellow', error: 'red' } as const;

/**
 * One log record for people: time, level, function, message; access lines as method, path,
 * status and time; a stack below, indented.
 */
export function formatLogRecord(record: LogRecord, { color, requestIds = false }: LogLineOptions): string {
  const paint = painter(color);
  const clock = paint('gray', record.time.slice(11, 23));
  if (record.access !== undefined) return `${clock} ${formatAccess(record.access, { color })}`;
  const where = record.function === undefined ? '' : `${paint('magenta', printable(record.function))} `;
  const level = paint(levelStyle[record.level], record.level.padEnd(5));
  const fields = record.fields === undefined ? '' : ` ${paint('gray', JSON.stringify(record.fields))}`;
  const told = requestIds && (record.level === 'warn' || record.level === 'error') ? record.requestId : undefined;
  const id = told === undefined ? '' : ` ${paint('gray', `(request ${printable(told)})`)}`;
  const stack = record.stack === undefined ? '' : `\n${indent(record.stack, record.message)}`;
  return `${clock} ${level} ${where}${printable(record.message)}${fields}${id}${stack}`;
}

/** `GET /users/7 200 3.1 ms`, the status coloured by its class. */
export function formatAccess({ method, path, status, durationMs }: AccessFields, { color }: LogLineOptions): string {
  const paint = painter(color);
  const style = status >= 500 ? 'red' : status >= 400 ? 'yellow' : 'green';
  const time = durationMs < 10 ? durationMs.toFixed(1) : durationMs.toFixed(0);
  return `${method} ${printable(path)} ${paint(style, String(status))} ${paint('gray', `${time} ms`)}`;
}

type Style = Parameters<typeof styleText>[0];

function painter(color: boolean): (style: Style, text: string) => string {
  // The decision about colour is made once, from stdout and NO_COLOR; styleText must not look again.
  return (style, text) => (color ? styleText(style, text, { validateStream: false }) : text);
}

/** What clients and functions write must not steer the terminal: control characters other than tab and newline are escaped. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}--[\t\n]]/gv, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

/** A stack usually begins with the message, which has been shown already. */
function indent(stack: string, message: string): string {
  const [first = '', ...frames] = printable(stack).split('\n');
  const lines = message.includes(first.replace(/^\w*Error: /, '')) ? frames : [first, ...frames];
  return lines.map((line) => `    ${line.trim()}`).join('\n');
}
