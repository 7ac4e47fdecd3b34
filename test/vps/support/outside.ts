import type { Vm } from './vm.ts';

/** The machine's address as seen by its outside. */
const inside = '198.51.100.1';
/** Where the outside is. */
export const outsideAddress = '198.51.100.2';

const scanMs = 600_000;
const waitSeconds = 5;

// Connects to all ports of a host, many at a time; whoever does not answer in time is closed or filtered.
const scanner = `
use strict; use warnings; use Socket; use IO::Handle; use Errno qw(EINPROGRESS);
my ($host, $wait, @ports) = @ARGV;
while (my @batch = splice(@ports, 0, 1000)) {
  my %pending;
  for my $port (@batch) {
    socket(my $socket, PF_INET, SOCK_STREAM, 0) or die "socket: $!";
    $socket->blocking(0);
    if (connect($socket, sockaddr_in($port, inet_aton($host)))) { print "$port\\n"; next; }
    $pending{fileno $socket} = [$socket, $port] if $! == EINPROGRESS;
  }
  my $end = time + $wait;
  while (%pending && time < $end) {
    my $bits = '';
    vec($bits, $_, 1) = 1 for keys %pending;
    next unless select(undef, my $ready = $bits, undef, 0.5) > 0;
    for my $fd (grep { vec($ready, $_, 1) } keys %pending) {
      my ($socket, $port) = @{delete $pending{$fd}};
      print "$port\\n" if unpack('i', getsockopt($socket, SOL_SOCKET, SO_ERROR)) == 0;
    }
  }
}
`;

/**
 * Gives the guest a neighbour: a network namespace at the other end of a cable, from which packets come through the
 * guest's filter as they do from the internet. Until its next boot.
 */
export async function addOutside(vm: Vm): Promise<void> {
  await vm.sh(`
    ip netns add outside
    ip link add cable0 type veth peer name cable1 netns outside
    ip address add ${inside}/24 dev cable0
    ip link set cable0 up
    ip -n outside address add ${outsideAddress}/24 dev cable1
    ip -n outside link set cable1 up
    ip -n outside link set lo up
    ip netns exec outside ping -c 1 -W 20 ${inside} > /dev/null 2>&1 || ip -n outside neighbour show
  `);
}

/**
 * Which TCP ports of the guest take connections from its outside. Tried are the first 1,024 and every one on which
 * something listens, on whatever address: no other can be open.
 */
export async function openPorts(vm: Vm): Promise<number[]> {
  const script = `
    ulimit -n 4096
    ports=$( (seq 1024; ss -Hltn | sed -E 's/.*:([0-9]+) .*:.*/\\1/') | sort -nu)
    exec ip netns exec outside perl -e "$0" ${inside} ${waitSeconds} $ports`;
  const { code, stdout, stderr } = await vm.run(['sh', '-c', script, scanner], { timeoutMs: scanMs });
  if (code !== 0) throw new Error(`The ports could not be tried: ${stderr}`);
  const open = stdout.split('\n').filter(Boolean).map(Number);
  return open.toSorted((a, b) => a - b);
}

/**
 * Tries to log in from the outside `times` times, with a password that is wrong. Resolves to what ssh said each time.
 */
export async function guessPasswords(vm: Vm, { user, times }: { user: string; times: number }): Promise<string[]> {
  const options = [
    'PreferredAuthentications=password,keyboard-interactive,publickey',
    'NumberOfPasswordPrompts=1',
    'StrictHostKeyChecking=no',
    'UserKnownHostsFile=/dev/null',
    'ConnectTimeout=20',
    'LogLevel=ERROR',
  ].map((option) => `-o ${option}`);
  const said: string[] = [];
  for (let i = 0; i < times; i++) {
    said.push(
      await vm.sh(`
        printf '#!/bin/sh\\necho guess\\n' > /root/guess; chmod 755 /root/guess
        export SSH_ASKPASS=/root/guess SSH_ASKPASS_REQUIRE=force
        ip netns exec outside ssh -F none ${options.join(' ')} ${user}@${inside} echo let in 2>&1 || true
      `),
    );
  }
  return said;
}
