/** What a program that ran on the machine left. */
export interface Ran {
  /** Exit code; 255 with ssh when the connection broke. */
  code: number;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  /** Standard input; none by default. */
  input?: string | Uint8Array;
  /** The program is ended after it. @default setupLimits.commandMs */
  timeoutMs?: number;
}

/** What every program on the machine has in its environment, and what reads its output relies on. */
export const programEnv: Readonly<Record<string, string>> = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  LC_ALL: 'C.UTF-8',
  DEBIAN_FRONTEND: 'noninteractive',
};

/** The machine that is set up or looked at: another one over ssh, or this one. All of it is done as root. */
export interface Machine {
  /** For people: `root@203.0.113.7`, or `this machine`. */
  readonly name: string;
  /** Whether it is the machine of the caller. */
  readonly local: boolean;
  /**
   * Runs a program; no shell reads its arguments. Resolves whatever its exit code is.
   * Rejects with FN_SSH_FAILED when the machine cannot be reached, FN_SETUP_FAILED after the deadline.
   */
  run(argv: readonly string[], options?: RunOptions): Promise<Ran>;
  /** Copies a local file there, atomically; missing folders are made. `owner` as chown has it. */
  upload(file: string, path: string, options: { mode: number; owner?: string }): Promise<void>;
  /**
   * Logs in once more, beside the connection there is and with nothing of it, to see that one still can: before a change
   * of sshd or the firewall is kept. Rejects with FN_SSH_FAILED. For this machine there is nothing to try.
   */
  loginAnew(): Promise<void>;
  /** Ends what it holds open. Idempotent. */
  close(): Promise<void>;
}
