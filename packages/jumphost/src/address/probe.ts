/** Asks the network who has an IPv4 address. */
import { shellWord } from '@skolo/errors';
import { JumphostError } from '../errors.ts';
import { linesOf } from '../files.ts';
import type { Host } from '../host.ts';

export const probeFile = '/usr/local/sbin/skolo-probe-address';

/**
 * Ends with 3 where another computer has the address, and prints its MAC address; with 0 where nobody answers.
 * Source: RFC 5227: ARP requests whose sender has no address yet. perl-base is essential in Debian.
 */
export const probe = `#!/usr/bin/perl
# skolo-probe-address INTERFACE ADDRESS [wait|announce]: whether another computer of this network has this IPv4 address (RFC 5227).
# With wait it waits for a cable. With announce it tells all others that this computer has the address now.
use strict;
use warnings;
my ($device, $address, $mode) = (@ARGV, '');
my $target = pack('C4', split(/\\./, $address));
sub of_device { my ($name) = @_; open(my $file, '<', "/sys/class/net/$device/$name") or die "$device: $!\\n"; my $line = <$file> // ''; chomp $line; return $line; }
# Without a cable nobody can be asked.
for (my $tries = 0; $mode eq 'wait' || $tries < 50; $tries++) { last if (eval { of_device('carrier') } // '0') eq '1'; select(undef, undef, undef, 0.1); }
my $mac = pack('H12', of_device('address') =~ s/://gr);
socket(my $socket, 17, 3, unpack('S', pack('n', 0x0806))) or die "no socket: $!\\n";
# struct sockaddr_ll.
bind($socket, pack('SnlSCCa8', 17, 0x0806, of_device('ifindex'), 1, 0, 6, '')) or die "$device: $!\\n";
my $sender = $mode eq 'announce' ? $target : "\\0" x 4;
my $frame = ("\\xff" x 6) . $mac . pack('nnnCCn', 0x0806, 1, 0x0800, 6, 4, 1) . $mac . $sender . ("\\0" x 6) . $target;
for (1 .. 3) {
  send($socket, $frame, 0) or die "$device: $!\\n";
  if ($mode eq 'announce') { select(undef, undef, undef, 0.1); next; }
  my $end = time + 2;
  while (time < $end) {
    vec(my $ready = '', fileno($socket), 1) = 1;
    select($ready, undef, undef, 0.5) or next;
    recv($socket, my $got, 2048, 0) // next;
    next if length($got) < 42 || substr($got, 28, 4) ne $target || substr($got, 22, 6) eq $mac;
    print join(':', map { sprintf('%02x', $_) } unpack('C6', substr($got, 22, 6))), "\\n";
    exit 3;
  }
}
`;

/** The hardware address of another computer that has it. @throws JumphostError The interface cannot ask. */
export async function whoHas(
  host: Host,
  address: string,
  device: string,
): Promise<string | undefined> {
  await host.write({ path: probeFile, content: probe, mode: 0o755 });
  const { code, stdout, stderr } = await host.run(
    `${probeFile} ${shellWord(device)} ${shellWord(address)}`,
  );
  if (code === 0) return undefined;
  if (code === 3) return stdout.trim();
  throw new JumphostError(
    'STEP',
    `${host.name}: ${stderr || `the probe of ${device} failed (${code})`}`,
  );
}

/** The interface that has this IPv4 address; empty where none has. */
export async function deviceOf(host: Host, address: string): Promise<string> {
  const [line = ''] = linesOf(
    await host.need(`ip -4 -o address show to ${shellWord(address)} | awk '{ print $2 }'`),
  );
  return line;
}
