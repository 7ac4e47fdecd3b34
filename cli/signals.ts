import { constants } from 'node:os';

/** A terminal's Ctrl-C reaches the launcher and this process, and the launcher passes it on: both are one. */
const repeatMs = 500;

/** The signals that end a command. */
const ending = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** An AbortSignal over the signals that end a command, until `stop`. */
export interface SignalWatch {
  signal: AbortSignal;
  stop: () => void;
}

/** The first signal aborts; a later one, when the command has not ended by then, ends the process at once. */
export function watchSignals(): SignalWatch {
  const controller = new AbortController();
  let firstAt: number | null = null;
  const onSignal = (name: (typeof ending)[number]): void => {
    const now = performance.now();
    if (firstAt === null) {
      firstAt = now;
      controller.abort(name);
    } else if (now - firstAt > repeatMs) {
      process.exit(128 + constants.signals[name]);
    }
  };
  for (const name of ending) process.on(name, onSignal);
  return {
    signal: controller.signal,
    stop: () => {
      for (const name of ending) process.off(name, onSignal);
    },
  };
}
