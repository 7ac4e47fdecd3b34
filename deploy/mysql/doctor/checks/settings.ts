import type { Setting } from '../../setting.ts';
import { renderValue } from '../../render-config.ts';
import type { VariableName } from '../../variables.ts';
import type { Finding, Severity } from '../finding.ts';
import { isOn, type ServerReading } from '../reading.ts';
import { remedyFor } from '../remedy.ts';
import { megabytes } from '../words.ts';

/** When a value that is not the rendered one is worth a word, and which. */
interface Rule {
  severity: Severity;
  /** For numbers: what is still well. @default equality */
  isWell?: (actual: number, wanted: number) => boolean;
  why: string;
}

const within =
  (factor: number) =>
  (actual: number, wanted: number): boolean =>
    actual >= wanted / factor && actual <= wanted * factor;
const atLeast = (actual: number, wanted: number): boolean => actual >= wanted;
const atMost = (actual: number, wanted: number): boolean => actual <= wanted;

/** Those that the machine decides; of a remote one nothing is known unless it was told. */
const ofMachine = new Set<VariableName>([
  'innodb_buffer_pool_size',
  'innodb_buffer_pool_instances',
  'innodb_redo_log_capacity',
  'innodb_log_file_size',
  'innodb_io_capacity',
  'innodb_io_capacity_max',
  'innodb_flush_neighbors',
  'temptable_max_ram',
  'performance_schema',
]);

/** Those that a measurement decides: a guess is no reason to change a running server. */
const ofDisk = new Set<VariableName>(['innodb_io_capacity', 'innodb_io_capacity_max']);

/** What the writes of an hour decide; while those are not known, redo-log-full tells when it is too small. */
const ofRedo = new Set<VariableName>(['innodb_redo_log_capacity', 'innodb_log_file_size']);

/** Of what is not here, other checks tell more, or a difference is a matter of taste. */
const rules: Partial<Record<VariableName, Rule>> = {
  innodb_buffer_pool_size: { severity: 'warning', isWell: within(1.25), why: 'the memory of this machine' },
  innodb_redo_log_capacity: { severity: 'warning', isWell: (a, b) => a >= b * 0.8, why: 'changed pages may gather' },
  innodb_log_file_size: { severity: 'warning', isWell: (a, b) => a >= b * 0.8, why: 'changed pages may gather' },
  innodb_flush_log_at_trx_commit: {
    severity: 'critical',
    isWell: (actual, wanted) => actual === 1 || actual === wanted,
    why: 'answered commits are lost when the power fails',
  },
  innodb_io_capacity: { severity: 'warning', isWell: within(2), why: 'what this disk can do' },
  innodb_io_capacity_max: { severity: 'note', isWell: within(2), why: 'what this disk can do' },
  innodb_flush_neighbors: { severity: 'note', why: 'the kind of this disk' },
  innodb_flush_method: { severity: 'note', why: 'pages would be kept twice' },
  query_cache_type: { severity: 'warning', why: 'one lock around all queries' },
  temptable_max_ram: { severity: 'note', isWell: (actual, wanted) => actual <= wanted * 4, why: 'memory' },
  performance_schema: { severity: 'note', why: 'memory' },
  max_connections: { severity: 'warning', isWell: atLeast, why: 'the apps may open that many' },
  table_definition_cache: { severity: 'note', isWell: atLeast, why: 'several apps' },
  slow_query_log: { severity: 'warning', why: 'slow queries are not seen' },
  long_query_time: { severity: 'note', isWell: atMost, why: 'what a web page waits for is not seen' },
  character_set_server: { severity: 'warning', why: 'tables made from now on take no emoji' },
  skip_name_resolve: { severity: 'note', why: 'a dead name server holds up connections' },
  local_infile: { severity: 'note', why: 'a client can be asked for its files' },
};

export interface CheckSettingsOptions {
  settings: readonly Setting[];
  machineKnown: boolean;
  diskMeasured: boolean;
  /** Whether how much redo log an hour writes is. */
  redoKnown: boolean;
  /** Whether the sum of the apps' connections is. */
  budgetKnown: boolean;
}

/** Compares the running server's variables with the rendered settings. */
export function checkSettings(
  reading: ServerReading,
  { settings, machineKnown, diskMeasured, redoKnown, budgetKnown }: CheckSettingsOptions,
): Finding[] {
  return settings.flatMap((setting) => {
    const rule = rules[setting.name];
    if (rule === undefined || (!machineKnown && ofMachine.has(setting.name))) return [];
    if (ofDisk.has(setting.name) && !diskMeasured) return [];
    if (setting.name === 'max_connections' && !budgetKnown) return [];
    const isGuess = ofRedo.has(setting.name) && !redoKnown;
    return compare(setting, { rule: isGuess ? { ...rule, severity: 'note' } : rule, reading });
  });
}

function compare(setting: Setting, { rule, reading }: { rule: Rule; reading: ServerReading }): Finding[] {
  const actual = reading.variables[setting.name];
  if (actual === undefined || isSame(setting, { actual, rule })) return [];
  const fits = setting.name === 'innodb_buffer_pool_size' && holdsData(reading, { bytes: Number(actual), setting });
  const shown = setting.unit === 'bytes' ? megabytes(Number(actual)) : actual;
  const wanted = setting.unit === 'bytes' ? megabytes(Number(setting.value)) : renderValue(setting);
  return [
    {
      id: `setting-${setting.name.replaceAll('_', '-')}`,
      severity: fits ? 'note' : rule.severity,
      what: `${setting.name} is ${shown}, not ${wanted} (${fits ? `for now the data of ${reading.dataMb} MB fits` : rule.why})`,
      measured: 'SHOW GLOBAL VARIABLES beside fnrun render mysql',
      todo: remedyFor(setting, reading.server),
    },
  ];
}

/** A pool that is smaller than it may be does no harm while all data is in it. */
function holdsData({ dataMb }: ServerReading, { bytes, setting }: { bytes: number; setting: Setting }): boolean {
  return dataMb !== null && bytes < Number(setting.value) && bytes >= dataMb * 1.2 * 2 ** 20;
}

function isSame({ name, value }: Setting, { actual, rule }: { actual: string; rule: Rule }): boolean {
  if (typeof value === 'boolean') return isOn({ variables: { [name]: actual } }, name) === value;
  if (typeof value === 'string') return actual.toLowerCase() === value.toLowerCase();
  const isWell = rule.isWell ?? ((a: number, b: number) => a === b);
  return isWell(Number(actual), value);
}
