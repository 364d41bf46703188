/**
 * The program that measures on a node. It is perl, because perl-base is essential on Debian, Ubuntu and Raspberry Pi OS of every
 * architecture: nothing is installed, and a cluster without an internet connection can be measured, too. It prints one object of JSON.
 *
 * `disk FOLDER SECONDS`, `cpu SECONDS`, `receive PORT`, `send ADDRESS PORT SECONDS`, `api SOCKET NAMESPACE COUNT`,
 * `pod SOCKET NAMESPACE NODE IMAGE`
 */
export const measureProgram = String.raw`use strict; use warnings;
use Config; use Socket qw(:DEFAULT :crlf IPPROTO_TCP TCP_NODELAY);
use IO::Handle; use POSIX ();
# Time::HiRes is not in perl-base. Numbers of clock_gettime: the kernel's syscall tables.
my ($kind) = $Config{archname} =~ /^([a-z]+[0-9_]*[0-9]*)/;
my $clock = { x86_64 => 228, aarch64 => 113, arm => 263 }->{$kind // ""} or die "unknown architecture $Config{archname}\n";
sub now { my $t = pack("l!2", 0, 0); syscall($clock, 1, $t) == 0 or die "clock: $!\n"; my ($s, $n) = unpack("l!2", $t); return $s + $n / 1e9 }
sub pause { select(undef, undef, undef, $_[0]) }
sub out { my %f = @_; print "{", join(",", map { "\"$_\":" . $f{$_} } sort keys %f), "}\n" }
sub spread {
  my ($name, @all) = @_;
  @all = sort { $a <=> $b } @all;
  return map { ($name . $_->[0], sprintf("%.4f", $all[POSIX::floor($_->[1] * $#all)])) } ["P50", 0.5], ["P99", 0.99], ["Max", 1];
}
my ($mode, @args) = @ARGV;
$SIG{ALRM} = sub { die "not done in time\n" };
alarm 110;

if ($mode eq "disk") {
  my ($folder, $seconds) = @args;
  my $file = "$folder/.skolo-bench-$$";
  # Removes the file even after a signal.
  END { unlink $file if defined $file }
  $SIG{TERM} = $SIG{HUP} = sub { exit 1 };
  open(my $to, "+>", $file) or die "$file: $!\n";
  # Appends small records and syncs each one, like the logs of etcd and SQLite.
  my $record = "x" x 2300; my @ms; my $end = now() + $seconds;
  while (now() < $end) {
    my $start = now();
    syswrite($to, $record) == length $record or die "$file: $!\n"; $to->sync or die "$file: $!\n";
    push @ms, (now() - $start) * 1000;
  }
  my $block = "x" x 1048576; my $start = now(); my $count = 0;
  while ($count < 64 and now() - $start < $seconds) {
    syswrite($to, $block) == length $block or die "$file: $!\n"; $count++;
  }
  $to->sync or die "$file: $!\n";
  out(spread("fsyncMs", @ms), syncs => scalar @ms, writeMBs => sprintf("%.2f", $count * 1.048576 / (now() - $start)));
} elsif ($mode eq "cpu") {
  my ($seconds) = @args;
  my $work = sub {
    my ($end, $count, $x) = (now() + $seconds, 0, 1);
    while (now() < $end) { for (1 .. 2000) { $x = ($x * 1103515245 + 12345) & 0x7fffffff } $count += 2000 }
    return $count / $seconds / 1e6;
  };
  my $one = $work->();
  open(my $info, "<", "/proc/cpuinfo") or die; my $cores = grep { /^processor\s*:/ } <$info>;
  my @pipes;
  for (1 .. $cores) {
    pipe(my $in, my $outp) or die; my $pid = fork(); die "fork: $!\n" unless defined $pid;
    if ($pid == 0) { close $in; print $outp $work->(); close $outp; POSIX::_exit(0) }
    close $outp; push @pipes, $in;
  }
  my $all = 0; $all += readline($_) for @pipes; 1 while wait() != -1;
  out(cores => $cores, oneCore => sprintf("%.3f", $one), allCores => sprintf("%.3f", $all));
} elsif ($mode eq "receive") {
  alarm 40;
  my $six = $args[1];
  socket(my $server, $six ? AF_INET6 : PF_INET, SOCK_STREAM, 0) or die "socket: $!\n";
  setsockopt($server, SOL_SOCKET, SO_REUSEADDR, 1);
  bind($server, $six ? Socket::pack_sockaddr_in6($args[0], Socket::IN6ADDR_ANY()) : sockaddr_in($args[0], INADDR_ANY)) or die "port $args[0]: $!\n";
  listen($server, 1); accept(my $from, $server) or die "accept: $!\n";
  setsockopt($from, IPPROTO_TCP, TCP_NODELAY, 1);
  for (1 .. 200) { sysread($from, my $byte, 1) or die "the sender closed the connection\n"; syswrite($from, $byte) }
  my ($bytes, $start) = (0, now());
  while (my $got = sysread($from, my $data, 262144)) { $bytes += $got }
  syswrite($from, sprintf("%.0f %.6f\n", $bytes, now() - $start));
  out(bytes => $bytes);
} elsif ($mode eq "send") {
  my ($address, $port, $seconds) = @args;
  my $six = $address =~ /:/; my $to; my $end = now() + 10;
  while (1) {
    socket($to, $six ? AF_INET6 : PF_INET, SOCK_STREAM, 0) or die "socket: $!\n";
    last if connect($to, $six ? Socket::pack_sockaddr_in6($port, Socket::inet_pton(AF_INET6, $address)) : sockaddr_in($port, inet_aton($address)));
    die "$address port $port: $!; check for a firewall between the nodes\n" if now() > $end;
    pause(0.2);
  }
  setsockopt($to, IPPROTO_TCP, TCP_NODELAY, 1);
  my @ms;
  for (1 .. 200) {
    my $start = now(); syswrite($to, "x"); sysread($to, my $byte, 1) or die "the receiver closed the connection\n";
    push @ms, (now() - $start) * 1000;
  }
  my $block = "x" x 262144; $end = now() + $seconds;
  while (now() < $end) { defined syswrite($to, $block) or die "the receiver closed the connection: $!\n" }
  shutdown($to, 1);
  my $said = ""; while (sysread($to, my $part, 100)) { $said .= $part }
  my ($bytes, $took) = split / /, $said;
  out(spread("rttMs", @ms), mbits => sprintf("%.2f", $bytes * 8 / 1e6 / $took));
} elsif ($mode eq "api" or $mode eq "pod") {
  my ($path, $namespace, @more) = @args;
  socket(my $api, PF_UNIX, SOCK_STREAM, 0) or die "socket: $!\n";
  my $end = now() + 20;
  until (connect($api, sockaddr_un($path))) { die "kubectl proxy: $!\n" if now() > $end; pause(0.1) }
  my $rest = "";
  my $more = sub { sysread($api, my $part, 65536) or die "kubectl proxy exited\n"; $rest .= $part };
  my $ask = sub {
    my ($method, $url, $body, $type) = @_; $body //= "";
    my $head = "$method $url HTTP/1.1\r\nHost: localhost\r\nContent-Type: " . ($type // "application/json") . "\r\nContent-Length: " . length($body) . "\r\n\r\n";
    syswrite($api, $head . $body);
    $more->() until $rest =~ /\r\n\r\n/;
    my ($got) = $rest =~ s/^(.*?\r\n\r\n)//s ? $1 : ""; my ($code) = $got =~ m{^HTTP/1.1 (\d+)}; my $text = "";
    if ($got =~ /Content-Length: (\d+)/i) { $more->() while length $rest < $1; $text = substr($rest, 0, $1, "") }
    elsif ($got =~ /Transfer-Encoding: chunked/i) {
      while (1) {
        $more->() until $rest =~ s/^([0-9a-fA-F]+)\r\n//; my $size = hex $1;
        $more->() while length $rest < $size + 2; $text .= substr($rest, 0, $size); substr($rest, 0, $size + 2, ""); last if $size == 0;
      }
    }
    return ($code, $text);
  };
  my $must = sub { my ($code, $text) = $ask->(@_); die "$_[0] $_[1]: $code " . substr($text, 0, 300) . "\n" if $code > 299; return $text };
  if ($mode eq "api") {
    # A small object, because kubectl proxy may delay parts of a large response by 200 ms.
    my ($count) = @more; my (@read, @write);
    my $maps = "/api/v1/namespaces/$namespace/configmaps";
    $must->("POST", $maps, '{"metadata":{"name":"bench"},"data":{"n":"0"}}');
    for my $n (1 .. $count) {
      my $start = now(); $must->("GET", "$maps/bench"); push @read, (now() - $start) * 1000;
      $start = now(); $must->("PATCH", "$maps/bench", "{\"data\":{\"n\":\"$n\"}}", "application/merge-patch+json"); push @write, (now() - $start) * 1000;
    }
    out(spread("readMs", @read), spread("writeMs", @write));
  } else {
    my ($node, $image) = @more; my $pods = "/api/v1/namespaces/$namespace/pods"; my @seconds;
    for my $n (1 .. 3) {
      my $start = now();
      $must->("POST", $pods, "{\"metadata\":{\"name\":\"start-$node-$n\"},\"spec\":{\"nodeName\":\"$node\",\"automountServiceAccountToken\":false,\"terminationGracePeriodSeconds\":0,\"tolerations\":[{\"operator\":\"Exists\"}],\"containers\":[{\"name\":\"start\",\"image\":\"$image\",\"command\":[\"sleep\",\"600\"]}]}}");
      until ($must->("GET", "$pods/start-$node-$n") =~ /"type":\s*"Ready",[^}]*?"status":\s*"True"/s) { pause(0.05); die "a pod on $node did not start within 60 s\n" if now() - $start > 60 }
      push @seconds, now() - $start;
      $must->("DELETE", "$pods/start-$node-$n?gracePeriodSeconds=0");
    }
    out(spread("seconds", @seconds));
  }
} else { die "no such mode: $mode\n" }
`;
