/**
 * Requests at a fixed rate, whatever the answers do: `open-loop.ts JSON` prints one JSON line. A request's latency counts from
 * when it was due, not from when it could be sent, so that a server that stalls is charged for all that it kept waiting
 * (no coordinated omission).
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { percentiles, round } from '../measure.ts';
import { Backlog } from './backlog.ts';
import { LoadConnection, type Outcome } from './connection.ts';
import type { PacerOptions } from './pacer.ts';

/** What to offer. */
export interface OpenLoopOptions {
  url: string;
  requestsPerSecond: number;
  seconds: number;
  /** At the begin, and not counted. */
  warmUpSeconds: number;
  /** Requests at once; those beyond wait, and their latency goes on. */
  connections: number;
  timeoutMs: number;
}

/** Milliseconds. */
export interface Latencies {
  count: number;
  p50: number;
  p90: number;
  p99: number;
  p999: number;
  max: number;
}

/** What came of it; requests that were due in the warm-up are not in it. */
export interface OpenLoopResult {
  offered: number;
  seconds: number;
  /** Answers of each status, and requests without one by what happened. */
  outcomes: Record<string, number>;
  /** Answers with 2xx that came within the measured time, each second, whenever they were due. */
  goodput: number;
  ok: Latencies;
  /** Answers with 503. */
  refused: Latencies;
  /** How late the generator itself sent what it had a connection for. */
  lag: Latencies;
  /** Time in which nothing that was due got a 2xx, in steps of 10 ms. */
  outageMs: number;
  /** The longest time from one 2xx to the next: an outage, or a stall that ended well. */
  silenceMs: number;
}

const outageStepMs = 10;

const options = JSON.parse(process.argv[2]!) as OpenLoopOptions;
const { hostname, port, pathname, host } = new URL(options.url);
const request = `GET ${pathname} HTTP/1.1\r\nhost: ${host}\r\n\r\n`;
const now = (): number => performance.timeOrigin + performance.now();
const intervalMs = 1000 / options.requestsPerSecond;
// Time for the pacer to start.
const startMs = now() + 200;
const countedFromMs = startMs + options.warmUpSeconds * 1000;
const endMs = countedFromMs + options.seconds * 1000;

const idle: LoadConnection[] = [];
const waiting = new Backlog();
let connections = 0;
let inFlight = 0;
let sent = 0;
let good = 0;
const outcomes: Record<string, number> = {};
const ok: number[] = [];
const refused: number[] = [];
const lag: number[] = [];
/** For each step in which a request was due: whether any of them was answered. */
const answered: boolean[] = [];
let silenceMs = 0;
let lastOkMs = countedFromMs;

function sendDue(): void {
  const until = Math.min(now(), endMs);
  for (let due = startMs + sent * intervalMs; due < until; due = startMs + ++sent * intervalMs) start(due);
}

function start(dueMs: number): void {
  inFlight++;
  let connection = idle.pop();
  while (connection !== undefined && !connection.usable) connection = forget();
  if (connection === undefined) {
    if (connections >= options.connections) {
      waiting.push(dueMs);
      return;
    }
    connections++;
    connection = new LoadConnection({ host: hostname, port: Number(port) });
  } else if (dueMs >= countedFromMs) lag.push(now() - dueMs);
  sendOn(connection, dueMs);
}

/** An idle connection was closed by the server. */
function forget(): LoadConnection | undefined {
  connections--;
  return idle.pop();
}

function sendOn(connection: LoadConnection, dueMs: number): void {
  const onEnd = (outcome: Outcome, reusable: boolean): void => {
    inFlight--;
    count(outcome, dueMs);
    if (!reusable) connections--;
    const next = waiting.shift();
    if (next === undefined) {
      if (reusable) idle.push(connection);
      return;
    }
    if (reusable) return sendOn(connection, next);
    connections++;
    sendOn(new LoadConnection({ host: hostname, port: Number(port) }), next);
  };
  connection.send(request, { timeoutMs: options.timeoutMs, onEnd });
}

function count(outcome: Outcome, dueMs: number): void {
  const atMs = now();
  const isOk = typeof outcome === 'number' && outcome >= 200 && outcome < 300;
  if (isOk && atMs >= countedFromMs && atMs < endMs) good++;
  if (isOk && atMs >= countedFromMs) {
    silenceMs = Math.max(silenceMs, atMs - lastOkMs);
    lastOkMs = atMs;
  }
  if (dueMs < countedFromMs) return;
  const step = Math.floor((dueMs - countedFromMs) / outageStepMs);
  answered[step] = answered[step] === true || isOk;
  outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  if (isOk) ok.push(atMs - dueMs);
  else if (outcome === 503) refused.push(atMs - dueMs);
}

function latencies(values: readonly number[]): Latencies {
  if (values.length === 0) return { count: 0, p50: 0, p90: 0, p99: 0, p999: 0, max: 0 };
  const [p50, p90, p99, p999, max] = percentiles(values, [50, 90, 99, 99.9, 100]).map(round);
  return { count: values.length, p50: p50!, p90: p90!, p99: p99!, p999: p999!, max: max! };
}

// Finer ticks than a quarter of a millisecond would cost more than they bring.
const workerData: PacerOptions = { startMs, endMs, everyMs: Math.max(intervalMs, 0.25) };
const pacer = new Worker(new URL('pacer.ts', import.meta.url), { workerData });
pacer.on('message', sendDue);
await once(pacer, 'exit');
sendDue();
const deadlineMs = now() + options.timeoutMs + 1_000;
while (inFlight > 0 && now() < deadlineMs) await new Promise((resolve) => setTimeout(resolve, 20));
if (inFlight > 0) outcomes['timeout'] = (outcomes['timeout'] ?? 0) + inFlight;
const result: OpenLoopResult = {
  offered: Object.values(outcomes).reduce((sum, each) => sum + each, 0),
  seconds: options.seconds,
  outcomes,
  goodput: good / options.seconds,
  ok: latencies(ok),
  refused: latencies(refused),
  lag: latencies(lag),
  outageMs: answered.filter((any) => !any).length * outageStepMs,
  silenceMs: round(Math.max(silenceMs, endMs - lastOkMs)),
};
console.log(JSON.stringify(result));
process.exit(0);
