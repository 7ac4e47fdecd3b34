import { join } from 'node:path';
import { databaseServerLimits as limits } from '../../../runtime/contract/limits.ts';
import { isAtLeast } from '../../versions.ts';
import type { DatabaseFacts } from '../facts.ts';
import type { Section, Setting } from '../setting.ts';

/** The slow log, and how text is stored. */
export function textAndLogsSection(facts: DatabaseFacts): Section {
  return {
    title: 'Slow log and text',
    leftOut: [],
    settings: [
      { name: 'slow_query_log', value: true, reason: 'what is slow in production is seen only there', dynamic: true },
      {
        name: 'long_query_time',
        value: limits.slowQueryMs / 1000,
        reason: 'seconds; the default of 10 finds nothing that a web page waits for',
        dynamic: true,
      },
      ...slowLogFile(facts),
      {
        name: 'character_set_server',
        value: 'utf8mb4',
        reason: 'all of Unicode; "utf8" has three bytes, and refuses emoji or cuts the text before one',
        dynamic: true,
      },
      collation(facts),
    ],
  };
}

function slowLogFile({ logDir }: DatabaseFacts): Setting[] {
  if (logDir === null) return [];
  return [
    {
      name: 'slow_query_log_file',
      value: join(logDir, 'slow.log'),
      reason: 'where the package has logrotate look; the data folder would keep it for ever',
      dynamic: true,
    },
  ];
}

function collation({ engine, version }: DatabaseFacts): Setting {
  const is0900 = engine === 'mysql' && isAtLeast(version, '8.0');
  return {
    name: 'collation_server',
    value: is0900 ? 'utf8mb4_0900_ai_ci' : 'utf8mb4_unicode_520_ci',
    reason: is0900
      ? 'sorts by Unicode 9, the default since 8.0'
      : 'sorts by Unicode 5.2 rather than by the shortcuts of general_ci; MySQL knows it too, so a dump can move',
    dynamic: true,
  };
}
