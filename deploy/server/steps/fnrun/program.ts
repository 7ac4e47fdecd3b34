import { basename } from 'node:path';
import { FnrunError } from '../../../../runtime/contract/errors.ts';
import { setupLimits } from '../../../../runtime/contract/limits.ts';
import { formatBytes } from '../../format-bytes.ts';
import { checkFile, writeFile, type WantedFile } from '../../files.ts';
import { layout } from '../../layout.ts';
import { must } from '../../must.ts';
import { checkPackages, installPackages } from '../../packages.ts';
import { packFor, payloadFor } from '../../payload/for-machine.ts';
import { sumsFile, type Payload } from '../../payload/payload.ts';
import type { Change, SetupContext, Step } from '../../step.ts';

// What Node is linked with, beyond what every Debian has.
const libraries = ['libatomic1', 'libstdc++6'];

const command: WantedFile = {
  path: layout.command,
  mode: 0o755,
  text: `#!/bin/sh
# Written by fnrun server setup.
exec ${layout.current}/bin/node ${layout.current}/cli/fnrun.js "$@"
`,
};

// What is there, where the links lead, and what runs: `/proc/<pid>/exe` of a program keeps its folder from being removed.
const look = String.raw`
cd "$1" 2>/dev/null || exit 0
for link in current previous; do echo "$link=$(readlink "$link" 2>/dev/null)"; done
for folder in */; do [ -L "${'$'}{folder%/}" ] || [ ! -d "$folder" ] || echo "folder=${'$'}{folder%/}"; done
for exe in /proc/[0-9]*/exe; do readlink "$exe" 2>/dev/null; done | sed -n "s|^$1/\([^/]*\)/.*|used=\1|p" | sort -u
`;

interface There {
  current: string | null;
  previous: string | null;
  folders: string[];
  used: string[];
}

// Described once a setup: its files are read for it, and do not change meanwhile.
const payloads = new WeakMap<SetupContext, Promise<Payload>>();

function payloadOf(context: SetupContext): Promise<Payload> {
  const known = payloads.get(context) ?? payloadFor(context.facts);
  payloads.set(context, known);
  return known;
}

/** fnrun and Node, the very ones that run here; another version or another content gets a folder of its own. */
export const programStep: Step = {
  id: 'fnrun',
  title: `fnrun and its Node are in ${layout.programs}`,
  check: async (context) => {
    const { machine } = context;
    const { name } = await payloadOf(context);
    const there = await whatIsThere(context);
    const changes: Change[] = await checkPackages(machine, libraries);
    if (!there.folders.includes(name))
      changes.push({ subject: name, what: `unpack fnrun ${name} and Node ${process.version}` });
    if (there.current !== name) {
      changes.push({ subject: layout.current, what: `link ${layout.current} to ${name}${from(there.current)}` });
    }
    const file = await checkFile(machine, command);
    if (file !== null) changes.push(file);
    for (const old of removable(there, name)) changes.push({ subject: old, what: `remove ${layout.programs}/${old}` });
    return changes;
  },
  apply: async (context) => {
    const { machine } = context;
    const payload = await payloadOf(context);
    await installPackages(context, libraries);
    if (!(await whatIsThere(context)).folders.includes(payload.name)) await unpack(context, payload);
    const { current } = await whatIsThere(context);
    if (current !== payload.name) await switchTo(context, { name: payload.name, before: current });
    await writeFile(machine, command);
    for (const old of removable(await whatIsThere(context), payload.name)) {
      await must(machine, ['rm', '-rf', '--', `${layout.programs}/${old}`]);
    }
  },
};

const from = (name: string | null): string => (name === null ? '' : `, from ${name}`);

async function whatIsThere({ machine }: SetupContext): Promise<There> {
  const lines = (await must(machine, ['sh', '-c', look, 'sh', layout.programs])).split('\n');
  const all = (key: string): string[] =>
    lines.filter((line) => line.startsWith(`${key}=`)).map((line) => line.slice(key.length + 1));
  const link = (key: string): string | null => basename(all(key)[0] ?? '') || null;
  return { current: link('current'), previous: link('previous'), folders: all('folder'), used: all('used') };
}

/** The one before stays, to go back to; so does what a process runs from. What the next switch makes the one before does, too. */
function removable({ current, previous, folders, used }: There, wanted: string): string[] {
  const before = current === wanted ? previous : current;
  return folders.filter((folder) => folder !== wanted && folder !== before && !used.includes(folder));
}

// Renamed when it is whole: a folder that is there is good.
const unpackScript = [
  // Whatever an unpacking that was cut off has left goes, too.
  'set -e; umask 022; cd "$1"; rm -rf -- .new-*; mkdir -- ".new-$2"',
  `echo "$3  .upload.tar.gz" | sha256sum -c --quiet -`,
  `tar -xzf .upload.tar.gz --no-same-owner -C ".new-$2"; rm -f .upload.tar.gz`,
  `cd ".new-$2"; sha256sum -c --quiet ${sumsFile}; ./bin/node --version`,
  'cd "$1"; sync -f .; mv -T -- ".new-$2" "$2"',
].join('\n');

async function unpack({ machine, facts, tell }: SetupContext, payload: Payload): Promise<void> {
  tell(`packing fnrun ${payload.name}`);
  const { file, bytes, sha256 } = await packFor(payload, facts);
  tell(`uploading ${formatBytes(bytes)}`);
  await machine.upload(file, `${layout.programs}/.upload.tar.gz`, { mode: 0o600 });
  tell('unpacking');
  const argv = ['sh', '-c', unpackScript, 'sh', layout.programs, payload.name, sha256];
  const version = (await must(machine, argv, { timeoutMs: setupLimits.unpackMs })).trim();
  if (version !== process.version) {
    throw new FnrunError('FN_SETUP_FAILED', `Node on the machine says ${version}, and ${process.version} was sent`);
  }
}

/** One rename: whoever starts fnrun gets the one or the other. */
async function switchTo(
  { machine }: SetupContext,
  { name, before }: { name: string; before: string | null },
): Promise<void> {
  const link = 'cd "$1" && ln -sfn -- "$3" ".$2" && mv -T -- ".$2" "$2"';
  if (before !== null) await must(machine, ['sh', '-c', link, 'sh', layout.programs, 'previous', before]);
  await must(machine, ['sh', '-c', link, 'sh', layout.programs, 'current', name]);
}
