import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { canInstall, installTools, missingTools } from '../../../cli/scripts/debian-tools.ts';

/**
 * What a machine starts from. `bare` is the system as a VPS has it; `stocked` has the packages that setup installs,
 * installed already and configured by nobody: it saves their unpacking and hides what is wrong with installing them.
 */
export type Kind = 'bare' | 'stocked';

/** Which system test machines have: FNRUN_VPS_SYSTEM, by default the one of the documentation. */
export const system = systemNamed(process.env['FNRUN_VPS_SYSTEM'] ?? 'debian12');

/** The disks, built once and kept outside the repository. */
export interface Image {
  disks: Readonly<Record<Kind, string>>;
  kernel: string;
  initrd: string;
  /** The private key that root's authorized_keys has. */
  key: string;
}

/** Root's password on a fresh machine; sshd takes it there. */
export const rootPassword = 'from-the-provider';

const buildMs = 30 * 60_000;
const recipe = join(import.meta.dirname, 'build-image.sh');
const tools = [
  { name: 'qemu-system-x86_64', args: ['--version'], package: 'qemu-system-x86' },
  { name: 'qemu-img', args: ['--version'], package: 'qemu-utils' },
  { name: 'debootstrap', args: ['--version'], package: 'debootstrap' },
  { name: 'mke2fs', args: ['-V'], package: 'e2fsprogs' },
  { name: 'flock', args: ['--version'], package: 'util-linux' },
  { name: 'ssh', args: ['-V'], package: 'openssh-client' },
];
const run = promisify(execFile);

interface System {
  /** As FNRUN_VPS_SYSTEM and the recipe have it. */
  name: string;
  /** ID and VERSION_ID of its /etc/os-release. */
  release: string;
  suite: string;
  /** apt's, for the public. */
  sources: readonly string[];
}

function systemNamed(name: string): System {
  const debian = (suite: string): string[] => [
    `deb http://deb.debian.org/debian ${suite} main`,
    `deb http://deb.debian.org/debian ${suite}-updates main`,
    `deb http://deb.debian.org/debian-security ${suite}-security main`,
  ];
  const systems: readonly System[] = [
    { name: 'debian12', release: 'debian 12', suite: 'bookworm', sources: debian('bookworm') },
    { name: 'debian13', release: 'debian 13', suite: 'trixie', sources: debian('trixie') },
    {
      name: 'ubuntu24.04',
      release: 'ubuntu 24.04',
      suite: 'noble',
      sources: ['noble', 'noble-updates', 'noble-security'].map(
        (suite) => `deb http://archive.ubuntu.com/ubuntu ${suite} main universe`,
      ),
    },
  ];
  const found = systems.find((one) => one.name === name);
  if (found !== undefined) return found;
  throw new Error(`FNRUN_VPS_SYSTEM is one of ${systems.map((one) => one.name).join(', ')}, not "${name}"`);
}

/**
 * The disks for test machines: those in $FNRUN_VPS_CACHE (default /var/cache/fnrun-vps), built when absent. They are
 * known by a hash of the recipe and of this machine's apt sources. Throws with the end of the log when building fails.
 */
export async function findImage(): Promise<Image> {
  installWhatIsMissing();
  const cache = process.env['FNRUN_VPS_CACHE'] ?? '/var/cache/fnrun-vps';
  const files = await aptFiles();
  const hash = createHash('sha256')
    .update(system.name)
    .update(await readFile(recipe));
  for (const [name, text] of Object.entries(files)) hash.update(`\0${name}\0${text}`);
  const folder = join(cache, hash.digest('hex').slice(0, 16));
  if (!existsSync(folder)) await build({ cache, folder, files });
  const file = (name: string): string => join(folder, name);
  return {
    disks: { bare: file('bare.img'), stocked: file('stocked.img') },
    kernel: file('vmlinuz'),
    initrd: file('initrd.img'),
    key: file('key'),
  };
}

function installWhatIsMissing(): void {
  const missing = missingTools(tools);
  if (missing.length === 0) return;
  const failure = canInstall() ? installTools(missing) : 'only root can install them';
  const left = missingTools(missing).map((tool) => tool.package);
  if (left.length > 0) throw new Error(`Test machines need ${left.join(' ')}: ${failure ?? 'not there after apt-get'}`);
}

async function build(options: { cache: string; folder: string; files: Record<string, string> }): Promise<void> {
  const { cache, folder, files } = options;
  await mkdir(cache, { recursive: true });
  const made = await mkdtemp(join(cache, 'building-'));
  for (const [name, text] of Object.entries(files)) await writeFile(join(made, name), text);
  console.log(`Building the disks of test machines with ${system.name} in ${cache} (once; a few minutes)`);
  const log = join(cache, `build-${system.name}.log`);
  // One builds, whoever else wants the same waits for it.
  const script = '[ -d "$3" ] || { sh "$1" "$2" "$4" && mv -T "$2" "$3"; }';
  const output = await open(log, 'w');
  const child = spawn(
    'flock',
    [join(cache, `build-${system.name}.lock`), 'sh', '-c', script, 'sh', recipe, made, folder, system.name],
    {
      stdio: ['ignore', output.fd, output.fd],
      timeout: buildMs,
    },
  );
  const [code] = (await once(child, 'exit')) as [number | null];
  await output.close();
  await rm(made, { recursive: true, force: true });
  if (code !== 0) {
    const end = (await readFile(log, 'utf8')).split('\n').slice(-15).join('\n');
    throw new Error(`The disks of test machines could not be built (${log}):\n${end}`);
  }
}

/** apt's sources and settings of this machine, for the build and, with its loopback as a guest sees it, for a guest. */
async function aptFiles(): Promise<Record<string, string>> {
  const format = ['--format', '$(REPO_URI) $(RELEASE) $(COMPONENT)', 'Created-By: Packages'];
  const targets = await run('apt-get', ['indextargets', ...format]).then(({ stdout }) => stdout);
  const { suite } = system;
  const own = new Set([suite, `${suite}-updates`, `${suite}-security`]);
  const lines = new Set(
    targets
      .split('\n')
      .filter((line) => own.has(line.split(' ')[1] ?? '') && /debian/.test(line))
      .map((line) => `deb ${line}`),
  );
  const sources = lines.size > 0 ? [...lines].toSorted() : system.sources;
  const config = await run('apt-config', ['dump']).then(({ stdout }) => stdout);
  const settings = config.split('\n').filter((line) => /^Acquire::(Check-|https?::)[^ ]* "[^"]+";$/.test(line));
  return {
    'sources.list': `${sources.join('\n')}\n`,
    'build-apt.conf': `${settings.join('\n')}\n`,
    'guest.list': forGuest(`${sources.join('\n')}\n`),
    'guest-apt.conf': forGuest(`${settings.join('\n')}\n`),
  };
}

/** qemu's user-mode network has this machine's loopback at 10.0.2.2. */
function forGuest(text: string): string {
  return text.replace(/\/\/(?:localhost|127\.0\.0\.1)\b/g, '//10.0.2.2');
}
