import type { Finding } from '../../mysql/doctor/finding.ts';
import { onServer, output, type MachineCheck } from '../check.ts';

/** Who may log in, as sshd itself reads its files: the first of several settings wins, whatever a later file says. */
export const sshdCheck: MachineCheck = {
  id: 'sshd',
  async check(context) {
    if (context.facts.sshPorts.length === 0 && context.wishes === null) return { skipped: 'no sshd runs' };
    const ran = await output(context, ['sshd', '-T']);
    if (ran === null) return { skipped: 'no sshd' };
    if (ran.code !== 0) {
      if (!context.facts.root) return { skipped: 'sshd -T wants root' };
      return { findings: [brokenFinding(ran.errors)] };
    }
    const settings = readSettings(ran.text);
    const seen = ['passwordauthentication', 'permitrootlogin']
      .map((name) => `${name} ${settings[name] ?? '?'}`)
      .join(', ');
    return { findings: judgeSshd(settings, { severity: onServer(context) }), seen };
  },
};

/** Reads what `sshd -T` prints; of a repeated name the first. */
export function readSettings(text: string): Record<string, string> {
  const settings: Record<string, string> = {};
  for (const line of text.split('\n')) {
    const [name = '', ...value] = line.trim().split(' ');
    if (name !== '') settings[name] ??= value.join(' ');
  }
  return settings;
}

const rules: readonly { name: string; bad: RegExp; what: string; line: string }[] = [
  {
    name: 'passwordauthentication',
    bad: /^yes$/,
    what: 'ssh lets people in by password',
    line: 'PasswordAuthentication no',
  },
  {
    name: 'kbdinteractiveauthentication',
    bad: /^yes$/,
    what: 'ssh asks for passwords in a dialogue',
    line: 'KbdInteractiveAuthentication no',
  },
  {
    name: 'permitemptypasswords',
    bad: /^yes$/,
    what: 'ssh lets people in without a password',
    line: 'PermitEmptyPasswords no',
  },
  {
    name: 'permitrootlogin',
    bad: /^yes$/,
    what: 'ssh lets root in by password',
    line: 'PermitRootLogin prohibit-password',
  },
  {
    name: 'pubkeyauthentication',
    bad: /^no$/,
    what: 'ssh takes no keys: nobody can push',
    line: 'PubkeyAuthentication yes',
  },
  {
    name: 'x11forwarding',
    bad: /^yes$/,
    what: 'ssh forwards X11, which a server does not need',
    line: 'X11Forwarding no',
  },
];

export function judgeSshd(
  settings: Readonly<Record<string, string>>,
  { severity }: { severity: 'warning' | 'note' },
): Finding[] {
  return rules.flatMap(({ name, bad, what, line }) => {
    const value = settings[name];
    if (value === undefined || !bad.test(value)) return [];
    return [
      {
        id: `sshd-${name}`,
        severity: name === 'x11forwarding' ? 'note' : severity,
        what,
        measured: `sshd -T: ${name} ${value}`,
        todo: `${line} in /etc/ssh/sshd_config.d/00-fnrun.conf (the first file wins), then systemctl reload ssh`,
      },
    ];
  });
}

function brokenFinding(words: string): Finding {
  return {
    id: 'sshd-configuration',
    severity: 'critical',
    what: 'sshd does not take its own configuration: after its next start nobody gets in',
    measured: `sshd -T: ${words.split('\n')[0] ?? ''}`,
    todo: 'mend what it names before you close this session; sshd -t says when it is well',
  };
}
