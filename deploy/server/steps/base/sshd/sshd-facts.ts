import type { Machine } from '../../../machine.ts';
import { must } from '../../../must.ts';
import { parseEffective, type Effective } from './effective.ts';

/** What the text of the drop-in depends on. */
export interface SshdFacts {
  /** What OpenSSH there can do, as `ssh -Q` says. */
  supported: { kex: readonly string[]; cipher: readonly string[]; mac: readonly string[]; hostKey: readonly string[] };
  /** Whether there is a host key that is not of the NIST curves. */
  goodHostKey: boolean;
  /** `no` or `forced-commands-only` where root may do so little already, and where somebody else has just logged in. */
  rootLogin: 'prohibit-password' | 'forced-commands-only' | 'no';
}

const ask = [
  'for what in kex cipher mac HostKeyAlgorithms; do echo "== $what"; ssh -Q "$what"; done',
  'echo "== hostKeys"; ls /etc/ssh/ssh_host_ed25519_key /etc/ssh/ssh_host_rsa_key 2>/dev/null',
  // sudo says whose it is; over ssh, that user has just logged in.
  'echo "== sudo"; echo "${SUDO_USER-}"',
].join('\n');

/** Reads them from the machine; null: no sshd is installed. */
export async function readSshd(machine: Machine): Promise<SshdFacts | null> {
  if ((await machine.run(['test', '-x', '/usr/sbin/sshd'])).code !== 0) return null;
  const answers = parseAnswers(await must(machine, ['sh', '-c', ask]));
  const of = (name: string): string[] => answers.get(name) ?? [];
  const provenUser = machine.local ? '' : (of('sudo')[0] ?? '');
  const effective = await readEffective(machine, 'root');
  const now = effective?.get('permitrootlogin')?.[0];
  const proven = provenUser !== '' && provenUser !== 'root';
  return {
    supported: { kex: of('kex'), cipher: of('cipher'), mac: of('mac'), hostKey: of('HostKeyAlgorithms') },
    goodHostKey: of('hostKeys').length > 0,
    rootLogin: now === 'no' || proven ? 'no' : now === 'forced-commands-only' ? now : 'prohibit-password',
  };
}

/** What sshd would do with a login of this user, by the files as they are; null: they are not valid. */
export async function readEffective(machine: Machine, user: string): Promise<Effective | null> {
  // An address of the documentation's: nobody's rule is for it.
  const argv = ['/usr/sbin/sshd', '-T', '-C', `user=${user},host=client.invalid,addr=192.0.2.1`];
  const { code, stdout } = await machine.run(argv);
  return code === 0 ? parseEffective(stdout) : null;
}

function parseAnswers(text: string): Map<string, string[]> {
  const sections = text.split(/^== /m).slice(1);
  return new Map(
    sections.map((section) => {
      const [name = '', ...lines] = section.trimEnd().split('\n');
      return [name, lines.filter((line) => line !== '')];
    }),
  );
}
