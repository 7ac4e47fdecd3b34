import { FnrunError } from '../../runtime/contract/errors.ts';

/** Where a machine is, as far as ssh needs to know. */
export interface SshTarget {
  /** `root@203.0.113.7`, or a name of ~/.ssh/config. */
  destination: string;
  /** Null: what ~/.ssh/config says, else 22. */
  port: number | null;
}

const form = /^(?<user>[^@\s:/]+@)?(?:\[(?<v6>[0-9a-fA-F:.%\w]+)\]|(?<host>[^@\s:/[\]]+))(?::(?<port>\d{1,5}))?$/;

/** Reads `[user@]host[:port]`, with an IPv6 address in brackets; `local` is this machine. Throws FN_USAGE. */
export function parseTarget(text: string): SshTarget | 'local' {
  if (text === 'local') return 'local';
  const { user = '', v6, host, port } = form.exec(text)?.groups ?? {};
  const name = v6 ?? host;
  const number = port === undefined ? null : Number(port);
  // ssh would take what begins with a dash for an option.
  const wrong = name === undefined || name.startsWith('-') || user.startsWith('-');
  if (wrong || (number !== null && (number < 1 || number > 65_535))) {
    throw new FnrunError('FN_USAGE', `${JSON.stringify(text)} is no machine`, {
      hint: 'name it as root@203.0.113.7, user@host:2222, root@[2001:db8::7]:22, a name of ~/.ssh/config, or local',
    });
  }
  return { destination: user + name, port: number };
}
