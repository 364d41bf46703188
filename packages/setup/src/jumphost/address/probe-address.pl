#!/usr/bin/perl
# skolo-probe-address INTERFACE ADDRESS [wait|announce|defend]: checks whether another computer in this network uses the address (RFC 5227, RFC 4862).
# With wait, it first waits until the interface exists and a cable is connected, and turns the interface on. With announce, it announces that this computer now uses the address. With defend, it
# watches the address, and announces it when another computer uses it.
use strict;
use warnings;
use Socket qw(AF_INET AF_INET6 inet_pton);
my ($device, $address, $mode) = (@ARGV, '');
my $is6 = $address =~ /:/;
my $target = inet_pton($is6 ? AF_INET6 : AF_INET, $address) // die "$address: not an address\n";
sub of_device { my ($name) = @_; open(my $file, '<', "/sys/class/net/$device/$name") or die "$device: $!\n"; my $line = <$file> // ''; chomp $line; return $line; }
# At boot, the kernel or udev may name the interface only after the gate has started. Without IPv6's own check for duplicates, because the kernel
# would use neither the link-local nor the jumphost's IPv6 address while another computer claims it (RFC 4862, 5.4.5).
sub turn_on {
  return if !-e "/sys/class/net/$device";
  if (open(my $file, '>', "/proc/sys/net/ipv6/conf/$device/accept_dad")) { print $file '0'; close $file; }
  system('ip', 'link', 'set', 'dev', $device, 'up');
}
# No probe is possible without a cable.
for (my $tries = 0; $mode eq 'wait' || $tries < 50; $tries++) {
  turn_on() if $mode eq 'wait' && $tries % 10 == 0;
  last if (eval { of_device('carrier') } // '0') eq '1';
  select(undef, undef, undef, 0.1);
}
my $mac = pack('H12', of_device('address') =~ s/://gr);
my $isGuard = $mode eq 'defend';
$| = 1;
# The wall clock may jump.
sub now { open(my $file, '<', '/proc/uptime') or die "no /proc: $!\n"; return (split ' ', <$file>)[0]; }
my $type = $is6 ? 0x86dd : 0x0806;
socket(my $socket, 17, 3, unpack('S', pack('n', $type))) or die "no socket: $!\n";
# struct sockaddr_ll.
bind($socket, pack('SnlSCCa8', 17, $type, of_device('ifindex'), 1, 0, 6, '')) or die "$device: $!\n";
# Only neighbour advertisements, because all other IPv6 packets arrive here, too: linux/filter.h, SO_ATTACH_FILTER.
my $filter = pack('SCCL' x 6, 0x30, 0, 0, 20, 0x15, 0, 3, 58, 0x30, 0, 0, 54, 0x15, 0, 1, 136, 6, 0, 0, 2048, 6, 0, 0, 0);
setsockopt($socket, 1, 26, pack('S x![P] P', 6, $filter)) or die "no filter: $!\n" if $is6;
sub arp { my ($isNews) = @_; return ("\xff" x 6) . $mac . pack('nnnCCn', 0x0806, 1, 0x0800, 6, 4, 1) . $mac . ($isNews ? $target : "\0" x 4) . ("\0" x 6) . $target; }
sub neighbour {
  my ($isNews) = @_;
  my $from = $isNews ? $target : "\0" x 16;
  my $to = inet_pton(AF_INET6, $isNews ? 'ff02::1' : 'ff02::1:ff00:0');
  substr($to, 13, 3) = substr($target, 13, 3) if !$isNews;
  my $message = sub { pack('CCnN', $isNews ? 136 : 135, 0, $_[0], $isNews ? 0x20000000 : 0) . $target . ($isNews ? pack('CC', 2, 1) . $mac : '') };
  my $length = length($message->(0));
  my $sum = 0;
  $sum += $_ for unpack('n*', $from . $to . pack('NN', $length, 58) . $message->(0));
  $sum = ($sum & 0xffff) + ($sum >> 16) while $sum >> 16;
  return "\x33\x33" . substr($to, 12, 4) . $mac . pack('nNnCC', 0x86dd, 6 << 28, $length, 58, 255) . $from . $to . $message->(~$sum & 0xffff);
}
# The MAC address of another computer, if the frame shows that it uses the address.
sub holder {
  my ($got) = @_;
  my $isIt = $is6
    ? length($got) >= 78 && ord(substr($got, 20, 1)) == 58 && ord(substr($got, 54, 1)) == 136 && substr($got, 62, 16) eq $target
    : length($got) >= 42 && substr($got, 28, 4) eq $target;
  my $other = substr($got, $is6 ? 6 : 22, 6);
  return $isIt && $other ne $mac ? $other : undef;
}
sub say_to_all { my ($isNews) = @_; return send($socket, $is6 ? neighbour($isNews) : arp($isNews), 0); }
if ($mode eq 'announce') { for (1 .. 3) { say_to_all(1) or die "$device: $!\n"; select(undef, undef, undef, 0.1); } exit 0; }
my ($defendAt, $parent) = (0, getppid());
for (my $round = 0; $isGuard || $round < 3; $round++) {
  # A cable may be missing for a while.
  say_to_all(0) or $isGuard or die "$device: $!\n";
  my $end = now() + ($isGuard ? 30 : 2);
  while (now() < $end) {
    vec(my $ready = '', fileno($socket), 1) = 1;
    exit 0 if getppid() != $parent;
    select($ready, undef, undef, 0.5) or next;
    recv($socket, my $got, 2048, 0) // next;
    my $other = holder($got) // next;
    next if now() < $defendAt;
    print join(':', map { sprintf('%02x', $_) } unpack('C6', $other)), "\n";
    exit 3 if !$isGuard;
    # DEFEND_INTERVAL. Two computers that both never give up do not flood the network.
    $defendAt = now() + 10;
    say_to_all(1);
  }
}
