import type { Finding } from '../mysql/doctor/finding.ts';
import type { MachineFacts, Wishes } from '../server/facts.ts';
import type { Machine } from '../server/machine.ts';

/** Where things are on the machine. */
export interface Places {
  /** Of fnrun's server. */
  home: string;
  /** Folders of certificates, one for each name: `fullchain.pem` and `privkey.pem` in it. */
  certificates: string;
  /** Folders of nightly backups, one for each app. */
  backups: string;
  /** The link to the version of fnrun that runs. */
  current: string;
  /** Where nginx answers, on loopback. */
  httpPort: number;
  httpsPort: number;
}

/** What every check has to look with. */
export interface DoctorContext {
  machine: Machine;
  facts: MachineFacts;
  /** What `fnrun server setup` was asked for; null: this is no server of its making, but a laptop for example. */
  wishes: Wishes | null;
  places: Places;
  /** fnrun and its Node on that machine; null: not there. */
  fnrun: readonly string[] | null;
  node: readonly string[] | null;
  /** As a person names the machine: `local`, `root@203.0.113.7`. */
  target: string;
  /** The caller's clock. */
  now: () => Date;
  signal: AbortSignal;
}

/** What a check has found. */
export type Outcome =
  /** It does not apply, or cannot be looked at here; why, in a few words. */
  | { skipped: string }
  /** `seen`: the figures, in one line, when there is nothing to tell either; `trip`: how long an answer took, in words. */
  | { findings: readonly Finding[]; seen?: string; trip?: string };

/** One thing that is looked at. It changes nothing, and reads the machine through `Machine.run` only. */
export interface MachineCheck {
  /** Short and stable: `disk`. */
  id: string;
  check: (context: DoctorContext) => Promise<Outcome>;
  /** It measures times, and so runs when the others have ended. @default false */
  alone?: boolean;
}

/** What a warning about a server is where none was asked for. */
export function onServer({ wishes }: Pick<DoctorContext, 'wishes'>): 'warning' | 'note' {
  return wishes === null ? 'note' : 'warning';
}

/** What a program printed; null: it is not there. */
export async function output(
  { machine }: Pick<DoctorContext, 'machine'>,
  argv: readonly string[],
  options: { input?: string; timeoutMs?: number } = {},
): Promise<{ code: number; text: string; errors: string } | null> {
  const { code, stdout, stderr } = await machine.run(argv, options);
  // 127: a shell or env says so too.
  return code === 127 ? null : { code, text: stdout, errors: stderr.trim() };
}

/** What a line of shell printed, whatever its exit code is. */
export async function shell(
  { machine }: Pick<DoctorContext, 'machine'>,
  script: string,
  ...args: string[]
): Promise<string> {
  return (await machine.run(['sh', '-c', script, 'sh', ...args])).stdout;
}
