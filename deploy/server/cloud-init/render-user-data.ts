import { quoteWords } from '../shell-words.ts';
import { layout } from '../layout.ts';

/** Where a machine gets fnrun at its first boot. */
export type CloudSource =
  /** An archive of fnrun that the user has put somewhere. */
  | { kind: 'archive'; url: string; name: string; sha256: string }
  /** A package of an npm registry; `registry` null: npm's default. `npm`: the version of npm for builds, which Debian's own is no whole of. */
  | { kind: 'package'; spec: string; npm: string; registry: string | null };

export interface UserDataOptions {
  source: CloudSource;
  /** Public keys of the administrator. */
  keys: readonly string[];
  /** Further arguments of `fnrun server setup local`. */
  args: readonly string[];
}

const keysPath = '/etc/fnrun/first-keys.pub';
const scriptPath = '/usr/local/sbin/fnrun-first-setup';

/** User-data for cloud-init: at its first boot the machine gets fnrun and sets itself up. YAML whose values are JSON, which it is a superset of. */
export function renderUserData({ source, keys, args }: UserDataOptions): string {
  const packages = source.kind === 'archive' ? ['ca-certificates', 'curl', 'libatomic1', 'libstdc++6'] : ['npm'];
  const files = [
    { path: keysPath, permissions: '0644', content: `${keys.join('\n')}\n` },
    { path: scriptPath, permissions: '0700', content: script(source, args) },
  ];
  return [
    '#cloud-config',
    '# Written by fnrun render cloud-init.',
    'package_update: true',
    `packages: ${JSON.stringify(packages)}`,
    'write_files:',
    ...files.flatMap(({ path, permissions, content }) => [
      `  - path: ${JSON.stringify(path)}`,
      `    permissions: ${JSON.stringify(permissions)}`,
      '    content: |',
      ...content
        .trimEnd()
        .split('\n')
        .map((line) => (line === '' ? '' : `      ${line}`)),
    ]),
    '# What it says is in /var/log/cloud-init-output.log. Once there is a way in: fnrun server setup root@this-machine --plan',
    `runcmd: ${JSON.stringify([[scriptPath]])}`,
    '',
  ].join('\n');
}

function script(source: CloudSource, args: readonly string[]): string {
  const setup = ['server', 'setup', 'local', '--key', keysPath, ...args];
  return [
    '#!/bin/sh',
    '# Gets fnrun and has it set this machine up. May be run again: it goes on from where it was.',
    'set -eu',
    ...(source.kind === 'archive' ? archive(source, setup) : npmPackage(source, setup)),
  ].join('\n');
}

const patience = ['--retry', '5', '--retry-all-errors', '--retry-delay', '10', '--max-time', '900'];

function archive({ url, name, sha256 }: CloudSource & { kind: 'archive' }, setup: readonly string[]): string[] {
  const folder = `${layout.programs}/${name}`;
  const [file, fresh] = [`${layout.programs}/.first.tar.gz`, `${layout.programs}/.new-${name}`];
  return [
    `mkdir -p ${quoteWords([layout.programs])}`,
    `if [ ! -d ${quoteWords([folder])} ]; then`,
    `  ${quoteWords(['curl', '-fsSL', ...patience, '-o', file, '--', url])}`,
    `  echo ${quoteWords([`${sha256}  ${file}`])} | sha256sum -c --quiet -`,
    `  rm -rf ${quoteWords([fresh])}; mkdir ${quoteWords([fresh])}`,
    `  ${quoteWords(['tar', '-xzf', file, '--no-same-owner', '-C', fresh])}; rm -f ${quoteWords([file])}`,
    `  mv -T ${quoteWords([fresh, folder])}`,
    'fi',
    `exec ${quoteWords([`${folder}/bin/node`, `${folder}/cli/fnrun.js`, ...setup])}`,
  ];
}

function npmPackage({ spec, npm, registry }: CloudSource & { kind: 'package' }, setup: readonly string[]): string[] {
  const prefix = '/opt/fnrun-first';
  const from = registry === null ? [] : [`--registry=${registry}`];
  const flags = ['--global', '--prefix', prefix, '--ignore-scripts', '--include=optional', '--no-audit', '--no-fund'];
  return [
    '# No scripts of packages: the Node that fnrun wants, and esbuild, are packages of their own. The npm is for builds.',
    quoteWords(['npm', 'install', ...flags, ...from, '--', spec, `npm@${npm}`]),
    `export PATH=${prefix}/bin:$PATH`,
    `exec ${quoteWords(['fnrun', ...setup])}`,
  ];
}
