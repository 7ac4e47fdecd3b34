import { canInstall, installTools, missingTools } from './debian-tools.ts';
import { runVitest } from './run-vitest.ts';

// `npm test [-- FILTER…]`: installs or names what the machine lacks, runs vitest, and ends with one line of counts.

/** Programs that the tests run for real. */
const tools = [
  { name: 'git', args: ['--version'], package: 'git' },
  { name: 'nginx', args: ['-v'], package: 'nginx' },
  { name: 'mariadbd', args: ['--version'], package: 'mariadb-server' },
  { name: 'faketime', args: ['--version'], package: 'faketime' },
  { name: 'bwrap', args: ['--version'], package: 'bubblewrap' },
  { name: 'sshd', args: ['-V'], package: 'openssh-server' },
  { name: 'ssh', args: ['-V'], package: 'openssh-client' },
  { name: 'systemd-analyze', args: ['--version'], package: 'systemd' },
  { name: 'pebble', args: ['-h'], package: 'pebble' },
  { name: 'setfacl', args: ['--version'], package: 'acl' },
  { name: 'openssl', args: ['version'], package: 'openssl' },
];

let missing = missingTools(tools);
if (missing.length > 0 && canInstall()) {
  const failure = installTools(missing);
  if (failure !== null) console.error(failure);
  missing = missingTools(tools);
}
for (const tool of missing) {
  console.error(
    `The tests need ${tool.name}, which is not installed here. Get it with: apt-get install ${tool.package} (as root)`,
  );
}
process.exitCode = missing.length > 0 ? 1 : await runVitest(process.argv.slice(2));
