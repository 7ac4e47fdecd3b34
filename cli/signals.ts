import { constants } from 'node:os';

/** A terminal's Ctrl-C reaches the launcher and this process, and the launcher passes it on: both are one. */
const repeatMs = 500;

/** The signals that end a command. */
const ending = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
type Ending = (typeof ending)[number];

/** An AbortSignal over the signals that end a command, until `stop`. */
export interface SignalWatch {
  signal: AbortSignal;
  /** 128 and the number of the signal that came. */
  exitCode: () => number;
  stop: () => void;
}

/** The first signal aborts; a later one, when the command has not ended by then, ends the process at once. */
export function watchSignals(): SignalWatch {
  const controller = new AbortController();
  let first: { name: Ending; at: number } | null = null;
  const onSignal = (name: Ending): void => {
    const now = performance.now();
    if (first === null) {
      first = { name, at: now };
      controller.abort(name);
    } else if (now - first.at > repeatMs) {
      process.exit(codeOf(name));
    }
  };
  for (const name of ending) process.on(name, onSignal);
  return {
    signal: controller.signal,
    exitCode: () => (first === null ? 1 : codeOf(first.name)),
    stop: () => {
      for (const name of ending) process.off(name, onSignal);
    },
  };
}

function codeOf(name: Ending): number {
  return 128 + constants.signals[name];
}
