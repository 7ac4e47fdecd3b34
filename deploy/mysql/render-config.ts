import { comment, oneLine } from '../comment.ts';
import { engineNames } from './engine.ts';
import type { DatabaseFacts } from './facts.ts';
import type { LeftOut, Section, Setting } from './setting.ts';
import { mebibyte } from './setting.ts';

/** The option file: each setting below its reason. */
export function renderConfig(plan: readonly Section[], facts: DatabaseFacts): string {
  const blocks = plan.map(({ title, settings, leftOut }) =>
    [`# --- ${oneLine(title)} ---`, ...settings.map(settingLines), ...leftOut.map(leftOutLines)].join('\n\n'),
  );
  return `${[header(facts), '[mysqld]', ...blocks].join('\n\n')}\n`;
}

/** The line of one setting, without its reason. */
export function renderLine(setting: Pick<Setting, 'name' | 'value' | 'unit' | 'flag'>): string {
  return setting.flag === true ? setting.name : `${setting.name} = ${renderValue(setting)}`;
}

/** `512M`, `1`, `ON`, `"a \"b\""`: what stands after the equals sign. */
export function renderValue({ value, unit }: Pick<Setting, 'value' | 'unit'>): string {
  if (typeof value === 'boolean') return value ? 'ON' : 'OFF';
  if (typeof value === 'string') return quote(value);
  return unit === 'bytes' && value % mebibyte === 0 ? `${value / mebibyte}M` : String(value);
}

function settingLines(setting: Setting): string {
  return [...comment(setting.reason), renderLine(setting)].join('\n');
}

function leftOutLines({ name, reason }: LeftOut): string {
  return comment(`${name} is left out: ${reason}`).join('\n');
}

function header(facts: DatabaseFacts): string {
  const { engine, version, memoryMb, cores, disk, syncedWritesPerSecond } = facts;
  const folder = engine === 'mariadb' ? '/etc/mysql/mariadb.conf.d' : '/etc/mysql/mysql.conf.d';
  const about = [disk.kind, disk.scheduler === null ? null : `scheduler ${disk.scheduler}`].filter(Boolean);
  const measured =
    syncedWritesPerSecond === null ? 'not measured' : `${Math.round(syncedWritesPerSecond)} synced writes/s`;
  return [
    `Written by fnrun render mysql for ${engineNames[engine]} ${version}.`,
    `Machine: ${memoryMb} MB of memory, ${cores} cores, disk ${disk.name ?? 'not found'} (${about.join(', ')}; ${measured}).`,
    `Put it into ${folder}/99-fnrun.cnf, which is read last, and restart the server.`,
    `Each app gets a user with rights on its own schema only: GRANT ALL ON shop.* TO shop@localhost.`,
  ]
    .flatMap((line) => comment(line))
    .join('\n');
}

const escapes: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '"': '\\"',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\b': '\\b',
};

/** Plain words stand as they are; anything else in quotes, with the escapes that both servers read. */
function quote(value: string): string {
  if (value.includes('\0')) throw new TypeError('Cannot write a NUL byte into an option file');
  if (/^[\w./:@%+-]+$/.test(value)) return value;
  return `"${value.replace(/[\\"\n\r\t\b]/g, (char) => escapes[char] ?? char)}"`;
}
