import { Agent } from 'node:http';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { fetchFrom, type HttpTarget } from '../../support/http.ts';

/** Between two questions: asking without pause would take a core from the machine under test. */
const pollMs = 5;
const deadlineMs = 60_000;

/** Where the new code is asked for. */
export interface Question {
  target: HttpTarget;
  path: string;
  /** The text of the new code. */
  answer: string;
  /** A server that restarts refuses or cuts connections for a while; without this, that is a failure. */
  mayFail?: boolean;
}

/** How long a command took, in ms. */
export interface Timing {
  /** From its start to the first answer of the new code, which was asked for all the while. */
  answerMs: number;
  /** From its start to its end. */
  commandMs: number;
}

/** Starts `command` and asks until the new code answers. */
export async function timeToAnswer(command: () => Promise<unknown>, question: Question): Promise<Timing> {
  const before = performance.now();
  const ended = new AbortController();
  const since = (): number => performance.now() - before;
  try {
    const [commandMs, answerMs] = await Promise.all([
      command().then(since),
      untilAnswered(question, ended.signal).then(since),
    ]);
    return { answerMs, commandMs };
  } finally {
    // The command has failed: nobody answers any more.
    ended.abort();
  }
}

async function untilAnswered({ target, path, answer, mayFail = false }: Question, signal: AbortSignal): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const end = performance.now() + deadlineMs;
  let last = '';
  try {
    while (performance.now() < end && !signal.aborted) {
      try {
        last = (await fetchFrom(target, { path, agent, signal, deadlineMs })).text;
        if (last === answer) return;
      } catch (error) {
        if (!mayFail) throw error;
      }
      await delay(pollMs);
    }
  } finally {
    agent.destroy();
  }
  throw new Error(`"${answer}" was not answered within ${deadlineMs / 1000} s; the last answer was: ${last}`);
}
