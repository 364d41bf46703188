/**
 * A computer that was the jumphost, and is started again after a spare has taken its place, does not serve: before it takes its
 * address it asks the network who has it. If somebody does, it has no network, and neither k3s nor our units start.
 */

import { shellWord } from '@skolo/errors';
import { fileStep, linesOf } from '../files.ts';
import type { Host } from '../host.ts';
import type { Step } from '../step.ts';

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

/** This computer has seen the other one. */
const replaced = '/run/skolo-replaced';
const unit = '/etc/systemd/system/skolo-sole.service';

/** What would serve, or make it reachable. */
const dependants = [
  ...['networking', 'systemd-networkd', 'NetworkManager'],
  ...['k3s', 'skolo-stand-in', 'skolo-metadata-server', 'skolo-power-cycle-daemon'],
];

/** @param address of the jumphost; with IPv6 nothing is installed */
export function soleStep(address: string): Step {
  const wanted = async (host: Host) => step(await deviceOf(host, address), address);
  return {
    name: 'sole',
    about: `it does not serve where another computer has ${address}`,
    async check(host) {
      if (address.includes(':')) return { differs: [], note: 'not with IPv6' };
      return await (await wanted(host)).check(host);
    },
    async apply(host) {
      await (await wanted(host)).apply?.(host);
    },
  };
}

async function deviceOf(host: Host, address: string): Promise<string> {
  const [line = ''] = linesOf(
    await host.need(`ip -4 -o address show to ${shellWord(address)} | awk '{ print $2 }'`),
  );
  return line;
}

function step(device: string, address: string): Step {
  return fileStep({
    name: 'sole',
    about: '',
    files: [
      { path: probeFile, content: probe, mode: 0o755 },
      { path: unit, content: unitText(device, address) },
      ...dependants.map((name) => ({
        path: `/etc/systemd/system/${name}.service.d/skolo-sole.conf`,
        content: '[Unit]\nRequires=skolo-sole.service\nAfter=skolo-sole.service\n',
      })),
    ],
    activate: 'systemctl daemon-reload && systemctl enable --quiet skolo-sole.service',
    verify: `systemctl is-enabled -q skolo-sole.service 2>/dev/null || echo 'skolo-sole.service does not start with the computer'`,
  });
}

function unitText(device: string, address: string): string {
  return `# Written by \`skolo jumphost prepare\`.
[Unit]
Description=skolo: no other computer has ${address}
Documentation=https://www.rfc-editor.org/rfc/rfc5227
DefaultDependencies=no
RequiresMountsFor=/usr/local
After=local-fs.target systemd-udevd.service
Wants=network-pre.target
Before=network-pre.target shutdown.target
Conflicts=shutdown.target
[Service]
Type=oneshot
RemainAfterExit=yes
# Without a cable nobody is served, and nothing has to be done before there is one.
ExecStartPre=-/sbin/ip link set dev ${device} up
# A probe that does not work is no reason not to serve: only an answer is.
# Until the next start also where the other one is gone for a moment.
ExecStart=/bin/sh -c '[ ! -e ${replaced} ] || exit 1; ${probeFile} ${device} ${address} wait; [ $$? = 3 ] || exit 0; touch ${replaced}; echo "another computer has ${address}: a spare has taken the place of this one, which does not serve"; exit 1'
StandardOutput=journal+console
[Install]
WantedBy=sysinit.target
`;
}
