import { doctorLimits } from '../../../runtime/contract/limits.ts';
import { isAtLeast } from '../../versions.ts';
import type { Finding } from '../../mysql/doctor/finding.ts';
import { output, shell, type DoctorContext, type MachineCheck } from '../check.ts';
import { knownVersions } from '../known-versions.ts';

/** Versions with holes that are known, by a table of ours. */
export const versionsCheck: MachineCheck = {
  id: 'versions',
  async check(context) {
    const [node, packages] = await Promise.all([nodeOf(context), packagesOf(context)]);
    const findings = [
      ...(node === null ? [] : judgeNode(node)),
      ...packages.filter(({ good }) => good !== null).map(packageFinding),
      ...judgeTable(context.now()),
    ];
    const seen = [
      ...(node === null ? [] : [`node ${node}`]),
      ...packages.map(({ name, version }) => `${name} ${version}`),
    ];
    return seen.length === 0
      ? { skipped: 'neither Node nor packages of Debian' }
      : { findings, seen: `${seen.join(', ')}; ${tableWords}` };
  },
};

const tableWords = `table of ${knownVersions.asOf}`;

async function nodeOf(context: DoctorContext): Promise<string | null> {
  if (context.node === null) return null;
  const ran = await output(context, [...context.node, '--version']);
  return /^v(\d+\.\d+\.\d+)$/m.exec(ran?.text ?? '')?.[1] ?? null;
}

/** Whether a Node has known holes. */
export function judgeNode(version: string): Finding[] {
  const line = Number(version.split('.')[0]);
  const good = knownVersions.node[line];
  const lines = Object.keys(knownVersions.node);
  if (good === undefined) {
    if (line > Math.max(...lines.map(Number))) return [];
    return [nodeFinding('node-end-of-life', `Node ${version} is of a line that gets no security fixes`, version)];
  }
  if (isAtLeast(version, good)) return [];
  return [nodeFinding('node-version', `Node ${version} has known holes, which ${good} closes`, version)];
}

function nodeFinding(id: string, what: string, version: string): Finding {
  const todo = `update fnrun, which brings its Node, and run fnrun server setup again; or put Node ${knownVersions.node[26]} there`;
  return { id, severity: 'warning', what, measured: `node --version says v${version}; ${tableWords}`, todo };
}

interface Package {
  name: string;
  version: string;
  /** The first one without the known holes; null: this one has none. */
  good: string | null;
}

/** Debian's own order of versions has letters and tildes: dpkg compares. */
const look = String.raw`
command -v dpkg-query >/dev/null || exit 0
for entry; do
  name=${'$'}{entry%%=*}; good=${'$'}{entry#*=}
  version=$(dpkg-query -W -f '${'$'}{db:Status-Status} ${'$'}{Version}' "$name" 2>/dev/null) || continue
  case $version in 'installed '*) version=${'$'}{version#installed };; *) continue;; esac
  if dpkg --compare-versions "$version" lt "$good"; then echo "$name $version $good"; else echo "$name $version"; fi
done`;

async function packagesOf(context: DoctorContext): Promise<Package[]> {
  const known = context.facts.os === 'debian' ? knownVersions.debian[context.facts.codename] : undefined;
  if (known === undefined) return [];
  const text = await shell(context, look, ...Object.entries(known).map(([name, good]) => `${name}=${good}`));
  return text
    .trim()
    .split('\n')
    .flatMap((line) => {
      const [name, version, good = null] = line.split(' ');
      return name === undefined || version === undefined ? [] : [{ name, version, good }];
    });
}

function packageFinding({ name, version, good }: Package): Finding {
  return {
    id: `${name}-version`,
    severity: 'warning',
    what: `${name} ${version} has known holes, which Debian's ${good} closes`,
    measured: `dpkg-query; ${tableWords}`,
    todo: `apt-get update && apt-get install --only-upgrade ${name}`,
  };
}

/** An old table says little. */
export function judgeTable(now: Date): Finding[] {
  const days = Math.floor((now.getTime() - Date.parse(knownVersions.asOf)) / 86_400_000);
  if (days < doctorLimits.tableDays) return [];
  return [
    {
      id: 'versions-table-old',
      severity: 'note',
      what: 'this fnrun knows of no holes found lately',
      measured: `its ${tableWords} is ${days} days old`,
      todo: 'update fnrun; until then look at nodejs.org/en/blog/vulnerability',
    },
  ];
}
