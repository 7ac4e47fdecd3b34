import { parseArgs } from 'node:util';
import { findImage, type Kind } from './image.ts';
import { boot, openVm } from './vm.ts';

// A test machine from a shell; see `usage`.

const usage = `node test/vps/support/cli.ts image                    build the disks, when absent
node test/vps/support/cli.ts boot [--kind bare|stocked] [--from DISK] [--memory MB]
node test/vps/support/cli.ts reboot|reset|off|remove FOLDER
node test/vps/support/cli.ts snapshot FOLDER DISK     shut it down and keep its disk, for boot --from
node test/vps/support/cli.ts forward FOLDER PORT      one more port of the guest on loopback
FNRUN_VPS_SYSTEM=debian12|debian13|ubuntu24.04 says which system it has (debian12)`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { kind: { type: 'string' }, from: { type: 'string' }, memory: { type: 'string' } },
});
const [command, folder = '', argument = ''] = positionals;
const kind = values.kind ?? 'bare';

if (command === 'image') {
  console.log((await findImage()).disks);
} else if (command === 'boot' && (kind === 'bare' || kind === 'stocked')) {
  await bootAndTell(kind);
} else if (command !== undefined && folder !== '') {
  await actOn(command);
} else {
  console.error(usage);
  process.exitCode = 2;
}

async function bootAndTell(kind: Kind): Promise<void> {
  const memoryMb = Number(values.memory ?? 2048);
  const vm = await boot({ kind, memoryMb, detached: true, ...(values.from !== undefined && { from: values.from }) });
  const { ssh, http, https } = vm.ports;
  console.log(`folder  ${vm.folder}`);
  console.log(`ssh     ssh -F ${vm.sshConfig} vm          (127.0.0.1:${ssh})`);
  console.log(`http    http://127.0.0.1:${http}   https://127.0.0.1:${https}`);
  console.log(`end it  node test/vps/support/cli.ts remove ${vm.folder}`);
}

async function actOn(command: string): Promise<void> {
  const vm = await openVm(folder);
  if (command === 'reboot') await vm.reboot();
  else if (command === 'reset') await vm.reset();
  else if (command === 'off') await vm.powerOff();
  else if (command === 'remove') await vm.remove();
  else if (command === 'snapshot') await vm.snapshot(argument);
  else if (command === 'forward') console.log(`127.0.0.1:${await vm.forward(Number(argument))}`);
  else console.error(usage);
}
