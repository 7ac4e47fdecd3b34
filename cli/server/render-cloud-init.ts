import { resolve } from 'node:path';
import { readFile } from 'node:fs/promises';
import { parsePublicKey } from '../../deploy/keys/public-key.ts';
import { renderUserData, type CloudSource } from '../../deploy/server/cloud-init/render-user-data.ts';
import { npmVersion, packFor, payloadFor } from '../../deploy/server/payload/for-machine.ts';
import { FnrunError } from '../../runtime/contract/errors.ts';
import { jsonOption, type CommandContext, type CommandOptions, type OptionValues } from '../command.ts';
import { readAsked, wishOptions } from './wish-options.ts';

export const renderCloudInitOptions = {
  archive: { type: 'string', value: 'URL', description: 'https address where the machine finds the archive of fnrun' },
  package: { type: 'string', value: 'SPEC', description: 'or the npm package to install, for example fnrun@0.1.0' },
  registry: { type: 'string', value: 'URL', description: "where npm finds the package (default: npm's own)" },
  arch: { type: 'string', value: 'ARCH', description: 'of the machine: x64 or arm64 (default: that of this one)' },
  ...wishOptions,
  // As `fnrun render nginx` has it, for the options of both are one list.
  domain: { ...wishOptions.domain, multiple: true },
  ...jsonOption,
} as const satisfies CommandOptions;

type Context = CommandContext<typeof renderCloudInitOptions>;

// The oldest glibc of the systems that setup takes.
const glibcMin = '2.36';

/** `fnrun render cloud-init`: user-data with which a machine sets itself up at its first boot. */
export async function renderCloudInit(context: Context): Promise<number> {
  const { values, json, out, err } = context;
  const { domain: domains = [], ...others } = values;
  const wanted = { ...others, ...(domains.length > 0 && { domain: domains.at(-1)! }) };
  readAsked(wanted);
  const keys = await readKeys(context);
  const { source, archive } = await findSource(values);
  const text = renderUserData({ source, keys, args: setupArgs(wanted) });
  out(json ? JSON.stringify({ text, archive }, null, 2) : text.trimEnd());
  if (archive !== null) {
    err(
      `fnrun: put ${archive.file} (${archive.bytes} bytes) at ${values.archive}; other bytes are refused by their sum`,
    );
  }
  return 0;
}

async function findSource(
  values: Context['values'],
): Promise<{ source: CloudSource; archive: { file: string; bytes: number; sha256: string } | null }> {
  const { archive: url, package: spec, registry = null, arch = process.arch } = values;
  if ((url === undefined) === (spec === undefined)) {
    throw new FnrunError('FN_USAGE', 'Say where the machine gets fnrun: either --archive or --package', {
      hint: '--archive https://files.example.no/fnrun.tar.gz, where you put the archive; or --package fnrun@0.1.0',
    });
  }
  if (spec !== undefined) {
    return { source: { kind: 'package', spec: checkSpec(spec), npm: await npmVersion(), registry }, archive: null };
  }
  if (URL.parse(url ?? '')?.protocol !== 'https:' && URL.parse(url ?? '')?.protocol !== 'http:') {
    throw new FnrunError('FN_USAGE', `--archive ${JSON.stringify(url)} is no URL`);
  }
  if (arch !== 'x64' && arch !== 'arm64') throw new FnrunError('FN_USAGE', `--arch cannot be ${JSON.stringify(arch)}`);
  const payload = await payloadFor({ arch, glibc: glibcMin });
  const archive = await packFor(payload, { arch });
  return { source: { kind: 'archive', url: url!, name: payload.name, sha256: archive.sha256 }, archive };
}

/** A name with a version: what a machine gets must not depend on the day of its first boot. */
function checkSpec(spec: string): string {
  if (/^(@[\w.-]+\/)?[\w.-]+@\d[\w.+-]*$/.test(spec)) return spec;
  throw new FnrunError('FN_USAGE', `--package cannot be ${JSON.stringify(spec)}`, {
    hint: 'a name and a version: fnrun@0.1.0 or @your/fnrun@0.1.0',
  });
}

async function readKeys({ values, cwd }: Context): Promise<string[]> {
  const files = values.key ?? [];
  if (files.length === 0) {
    throw new FnrunError('FN_USAGE', 'The administrator of the machine has no key', {
      hint: 'name it: --key ~/.ssh/id_ed25519.pub',
    });
  }
  const texts = await Promise.all(files.map((file) => readFile(resolve(cwd, file), 'utf8')));
  const lines = texts.flatMap((text) => text.split('\n').map((line) => line.trim()));
  const keys = lines.filter((line) => line !== '' && !line.startsWith('#'));
  for (const key of keys) parsePublicKey(key);
  return keys;
}

/** The wishes as arguments of `fnrun server setup local`. */
function setupArgs(values: OptionValues<typeof wishOptions>): string[] {
  return Object.keys(wishOptions).flatMap((name) => {
    const value = values[name as keyof typeof wishOptions];
    if (name === 'key' || value === undefined || value === false) return [];
    return value === true ? [`--${name}`] : [`--${name}`, String(value)];
  });
}
