import type { SshdFacts } from './sshd-facts.ts';

/** Sorted before what an image brings along (50-cloud-init.conf may allow passwords): with sshd the first one wins. */
export const sshdDropIn = '/etc/ssh/sshd_config.d/00-fnrun.conf';

// In the order of preference. None of the NIST curves (their constants are unexplained), of SHA-1 and of 64-bit tags;
// MACs with encrypt-then-mac only; no group exchange, whose groups are another file's.
const kex = [
  'mlkem768x25519-sha256',
  'sntrup761x25519-sha512',
  'sntrup761x25519-sha512@openssh.com',
  'curve25519-sha256',
  'curve25519-sha256@libssh.org',
  'diffie-hellman-group18-sha512',
  'diffie-hellman-group16-sha512',
];
const ciphers = [
  'chacha20-poly1305@openssh.com',
  'aes256-gcm@openssh.com',
  'aes128-gcm@openssh.com',
  'aes256-ctr',
  'aes192-ctr',
  'aes128-ctr',
];
const macs = ['hmac-sha2-512-etm@openssh.com', 'hmac-sha2-256-etm@openssh.com', 'umac-128-etm@openssh.com'];
const hostKeys = [
  'ssh-ed25519-cert-v01@openssh.com',
  'ssh-ed25519',
  'rsa-sha2-512-cert-v01@openssh.com',
  'rsa-sha2-512',
  'rsa-sha2-256-cert-v01@openssh.com',
  'rsa-sha2-256',
];

/** Text of the drop-in. */
export function renderSshd({ supported, goodHostKey, rootLogin }: SshdFacts): string {
  return `# Written by fnrun server setup, which checks it with sshd -t and -T, and with a new login: a change here is undone by
# the next one. With sshd the first value wins, so this file wins over all that are read after it.

# --- Who logs in ---
# With a key, and in no other way: passwords are guessed, all day, by everybody.
PubkeyAuthentication yes
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitEmptyPasswords no
GSSAPIAuthentication no
HostbasedAuthentication no
${rootReason[rootLogin]}
PermitRootLogin ${rootLogin}
# Who has not logged in by then holds one of the few places for those who are about to (MaxStartups).
LoginGraceTime 30

# --- What is said in the clear, and how the rest is sealed: what this OpenSSH has of what ssh-audit finds no fault with ---
${algorithms('KexAlgorithms', kex, supported.kex)}
${algorithms('Ciphers', ciphers, supported.cipher)}
${algorithms('MACs', macs, supported.mac)}
${
  goodHostKey
    ? algorithms('HostKeyAlgorithms', hostKeys, supported.hostKey)
    : '# HostKeyAlgorithms left as it is: the only host key is of a NIST curve'
}

# --- What a login may do ---
# Whoever is root on this machine could use a forwarded agent as its owner: ssh -J goes through a machine without one.
AllowAgentForwarding no
X11Forwarding no
# AllowTcpForwarding left as it is: ssh -L is how the administrator gets at the database, which listens on no network.
# MaxAuthTries left as it is (6): each key of an agent is a try.
# A connection whose other end is gone (a laptop that sleeps) is noticed after two minutes.
ClientAliveInterval 30
ClientAliveCountMax 4

# --- Pushes ---
# Each key in that file is for one command, fnrun receive; the file is fnrun's own. See docs/ssh.md.
Match User fnrun
    AuthorizedKeysFile /var/lib/fnrun/authorized_keys
    AuthenticationMethods publickey
    DisableForwarding yes
    AllowTcpForwarding no
    X11Forwarding no
    PermitTTY no
    PermitUserRC no

# Nothing that is read after this file belongs to the user fnrun.
Match all
`;
}

const rootReason: Readonly<Record<SshdFacts['rootLogin'], string>> = {
  'prohibit-password':
    '# root by key: setup was run as root. Run it as deployer@… once, which proves that the administrator gets in, and root no\n# longer does.',
  'forced-commands-only': '# root runs the commands of its keys only: so it was before.',
  no: '# Not root at all: the administrator logs in, and becomes root by sudo.',
};

/** A line with what of the list is there; without any, the line is left out: an empty one would lock everybody out. */
function algorithms(keyword: string, wanted: readonly string[], supported: readonly string[]): string {
  const there = wanted.filter((name) => supported.includes(name));
  return there.length === 0 ? `# ${keyword} left as it is: none of ours is there` : `${keyword} ${there.join(',')}`;
}

/** Shell that puts back the drop-in that was there before, which lies in `before` unless there was none. */
export function undoSshd(before: string): string {
  return [
    `if [ -e ${before} ]; then cp -p ${before} ${sshdDropIn}.fnrun-new && mv ${sshdDropIn}.fnrun-new ${sshdDropIn}; else rm -f ${sshdDropIn}; fi`,
    'systemctl try-reload-or-restart ssh.service',
  ].join('\n');
}
