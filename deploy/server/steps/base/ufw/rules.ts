/** A rule for what comes in. */
export interface Rule {
  allows: boolean;
  /** Of tcp; from and to, both within. Empty: a rule of udp, or of what we cannot read. */
  ports: readonly (readonly [from: number, to: number])[];
}

/** Application profiles that come with openssh-server, nginx and ufw itself. */
const profiles: Readonly<Record<string, readonly number[]>> = {
  OpenSSH: [22],
  SSH: [22],
  'Nginx Full': [80, 443],
  'Nginx HTTP': [80],
  'Nginx HTTPS': [443],
  WWW: [80],
  'WWW Secure': [443],
  'WWW Full': [80, 443],
};

/** Reads what `ufw show added` prints, one command a line. Rules for what goes out or through are none of ours. */
export function parseAdded(text: string): Rule[] {
  return text.split('\n').flatMap((line) => {
    const words = /^ufw (?!route\b)(?:insert \d+ |prepend )?(?<words>(?:allow|deny|reject|limit)\b.*)$/.exec(line)
      ?.groups?.['words'];
    return words === undefined ? [] : parseRule(words.replace(/ comment '.*'$/, ''));
  });
}

function parseRule(words: string): Rule[] {
  const [action = '', ...rest] = words.split(' ');
  if (rest.includes('out')) return [];
  const allows = action === 'allow' || action === 'limit';
  const body = rest
    .join(' ')
    .replace(/^in (?:on \S+ )?/, '')
    .replace(/^log(?:-all)? /, '');
  const to = /(?:^|\s)to \S+ (?:port (?<port>\S+)|app (?<app>'[^']+'|"[^"]+"|\S+))/.exec(body)?.groups;
  // The long form names addresses, and a port in it may be where it comes from.
  const long = /(?:^|\s)(?:to|from) /.test(body);
  const udp = /\bproto udp\b|\/udp\b/.test(body);
  if (udp) return [{ allows, ports: [] }];
  if (to?.['app'] !== undefined) return [{ allows, ports: profilePorts(to['app']) }];
  if (to?.['port'] !== undefined) return [{ allows, ports: parsePorts(to['port']) }];
  // From an address to everything.
  if (long) return [{ allows, ports: [[0, 65_535]] }];
  return [{ allows, ports: /^\d/.test(body) ? parsePorts(body.replace(/\/tcp$/, '')) : profilePorts(body) }];
}

function profilePorts(name: string): Rule['ports'] {
  return (profiles[name.replace(/^['"]|['"]$/g, '')] ?? []).map((port) => [port, port] as const);
}

/** `22`, `80,443`, `6000:6007`. */
function parsePorts(text: string): Rule['ports'] {
  return text.split(',').map((each) => {
    const [from = 0, to = from] = each.split(':').map(Number);
    return [from, to] as const;
  });
}

/** Whether a rule is about the port. */
export function isAbout(rule: Rule, port: number): boolean {
  return rule.ports.some(([from, to]) => from <= port && port <= to);
}
