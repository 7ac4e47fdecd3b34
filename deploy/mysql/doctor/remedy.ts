import type { ServerVersion } from '../engine.ts';
import { renderLine, renderValue } from '../render-config.ts';
import type { Setting } from '../setting.ts';

type Change = Pick<Setting, 'name' | 'value' | 'unit' | 'flag' | 'dynamic'>;

/** The exact way to a setting: a statement that works at once where there is one, and the line that stays. */
export function remedyFor(setting: Change, { engine }: ServerVersion): string {
  const line = renderLine(setting);
  if (!setting.dynamic) return `put into the option file: ${line}; then restart the server`;
  return statement(setting.name, { value: sqlValue(setting), engine, line });
}

/** The same for a variable that the configuration has no line for. */
export function changeTo(name: string, value: number | string, { engine }: ServerVersion): string {
  return statement(name, { value: String(value), engine, line: `${name} = ${value}` });
}

function statement(
  name: string,
  { value, engine, line }: { value: string; engine: ServerVersion['engine']; line: string },
): string {
  // MySQL writes a persisted value into mysqld-auto.cnf, which is read after every option file.
  return engine === 'mysql'
    ? `SET PERSIST ${name} = ${value};`
    : `SET GLOBAL ${name} = ${value}; and in the option file: ${line}`;
}

/** SET knows no suffixes, and option files no quotes of SQL. */
function sqlValue(setting: Change): string {
  if (typeof setting.value === 'number') return String(setting.value);
  if (typeof setting.value === 'boolean') return renderValue(setting);
  return `'${setting.value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}
