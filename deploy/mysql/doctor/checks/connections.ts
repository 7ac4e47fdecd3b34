import type { Finding } from '../finding.ts';
import { rate, total, variable, type ServerReading } from '../reading.ts';
import { changeTo } from '../remedy.ts';
import { figure, percent, sinceStart } from '../words.ts';

const usedMost = 0.85;

/** Connections: how many, and how they end. */
export function checkConnections(reading: ServerReading, { cores }: { cores: number | null }): Finding[] {
  return [...used(reading), ...running(reading, cores), ...abortedConnects(reading), ...abortedClients(reading)];
}

function used(reading: ServerReading): Finding[] {
  const most = total(reading, 'max_used_connections');
  const max = variable(reading, 'max_connections');
  const refused = total(reading, 'connection_errors_max_connections');
  if (refused === 0 && most < max * usedMost) return [];
  return [
    {
      id: 'connections-used-up',
      severity: refused > 0 ? 'critical' : 'warning',
      what: refused > 0 ? 'connections were refused: all were taken' : 'nearly all connections were in use at once',
      measured: `${most} of max_connections ${max} at most, ${refused} refused ${sinceStart(reading)}; now ${total(reading, 'threads_connected')}`,
      todo: `hold the sum of the apps' database.maxConnections 10 below it, or ${changeTo('max_connections', Math.ceil(max * 1.5), reading.server)}`,
    },
  ];
}

function running(reading: ServerReading, cores: number | null): Finding[] {
  const most = Math.max(16, (cores ?? 4) * 4);
  const [first, second] = [Number(reading.before['threads_running']), total(reading, 'threads_running')];
  if (!(first > most && second > most)) return [];
  return [
    {
      id: 'threads-running',
      severity: 'warning',
      what: `${second} queries run at once, more than ${cores ?? 'the'} cores get done`,
      measured: `Threads_running ${first}, and ${second} after ${figure(reading.sampleSeconds)} s`,
      todo: 'SHOW FULL PROCESSLIST tells which; a smaller database.maxConnections of the app lets them wait before the server instead',
    },
  ];
}

function abortedConnects(reading: ServerReading): Finding[] {
  const aborted = total(reading, 'aborted_connects');
  const all = total(reading, 'connections');
  if (aborted < 10 || aborted / all <= 0.01) return [];
  const verbose =
    reading.server.engine === 'mysql'
      ? changeTo('log_error_verbosity', 3, reading.server)
      : changeTo('log_warnings', 4, reading.server);
  return [
    {
      id: 'aborted-connects',
      severity: 'warning',
      what: `${percent(aborted / all)} of attempts to connect fail: a wrong password, a missing right, or a scan`,
      measured: `Aborted_connects ${aborted} of ${all} ${sinceStart(reading)}; now ${figure(rate(reading, 'aborted_connects'))} a second`,
      todo: `the error log names who: ${verbose}`,
    },
  ];
}

function abortedClients(reading: ServerReading): Finding[] {
  const aborted = total(reading, 'aborted_clients');
  const all = total(reading, 'connections');
  if (aborted < 10 || aborted / all <= 0.05) return [];
  return [
    {
      id: 'aborted-clients',
      severity: 'warning',
      what: `${percent(aborted / all)} of connections end without a goodbye: a process that died, wait_timeout, or a packet too large`,
      measured: `Aborted_clients ${aborted} of ${all} ${sinceStart(reading)}; wait_timeout ${variable(reading, 'wait_timeout')} s`,
      todo: 'look for ended processes in fnrun ps, and keep idle times of pools below wait_timeout',
    },
  ];
}
