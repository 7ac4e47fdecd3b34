import type { Engine, ServerVersion } from './engine.ts';

/**
 * The day of the makers' last fixes, by release series. A distribution may go on longer with its own. Innovation and
 * rolling releases end with the next one; those after MySQL 9.4 and MariaDB 11.8 were not out when this was written.
 */
const lastDays: Readonly<Record<Engine, Readonly<Record<string, string>>>> = {
  mariadb: {
    '10.3': '2023-05-25',
    '10.4': '2024-06-18',
    '10.5': '2025-06-24',
    '10.6': '2026-07-06',
    '10.7': '2023-02-09',
    '10.8': '2023-05-20',
    '10.9': '2023-08-22',
    '10.10': '2023-11-17',
    '10.11': '2028-02-16',
    '11.0': '2024-06-06',
    '11.1': '2024-08-21',
    '11.2': '2024-11-21',
    '11.4': '2029-05-29',
    '11.8': '2028-06-04',
  },
  mysql: {
    '5.7': '2023-10-25',
    '8.0': '2026-04-30',
    '8.1': '2023-10-25',
    '8.2': '2024-01-16',
    '8.3': '2024-04-30',
    '8.4': '2032-04-30',
    '9.0': '2024-10-15',
    '9.1': '2025-01-21',
    '9.2': '2025-04-15',
    '9.3': '2025-07-22',
    '9.4': '2025-10-21',
  },
};

/** ISO date; null for a series that is not known here. */
export function endOfLife({ engine, version }: ServerVersion): string | null {
  const series = version.split('.').slice(0, 2).join('.');
  return lastDays[engine][series] ?? null;
}
