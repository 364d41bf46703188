/** Decides which ports in use on a computer conflict with those that skolo requires on a jumphost. Pure. */
import { stripSecrets } from '@skolo/base';
import { k3sPort, kubeletPort, nodePort, type Rack } from '@skolo/rack';
import { statementPort } from '@skolo/rack/jumphost';
import { type Check, fewOf, linesOf } from '@skolo/setup/engine';
import { commandOf } from '../existing/command-of.ts';
import { exclusivePorts } from '../existing/find.ts';

/**
 * `--extended` prints the control group of a socket, and so the systemd unit, even without root. Since iproute2 5.8. Then a line
 * `process PID COMMAND` for each process that it names: those of the user.
 */
export const listPorts = `sockets=$(ss -H -ltunp --extended) || exit
printf "%s\\n" "$sockets"
${commandOf}for pid in $(printf "%s\\n" "$sockets" | last_pid | sort -u); do echo "process $pid $(command_of "$pid")"; done`;

/** Network services that an existing jumphost may provide to its rack. */
const served = new Map([
  ['udp 53', 'DNS'],
  ['udp 67', 'DHCP'],
  ['udp 69', 'TFTP'],
  ['udp 123', 'NTP'],
  ['tcp 2049', 'NFS'],
]);

interface Listener {
  /** `tcp 80` */
  port: string;
  address: string;
  /** For people. */
  who: string;
  isOurs: boolean;
}

export function judgePorts(text: string, rack: Rack): Check {
  const lines = linesOf(text);
  const commands = new Map(
    lines.flatMap((line) => {
      const [, pid, command] = /^process (\d+) (.+)/.exec(line) ?? [];
      return pid && command ? [[pid, stripSecrets(command)]] : [];
    }),
  );
  const listeners = lines.flatMap((line) => listenerIn(line, commands));
  const required = requiredPorts(rack);
  const groups = Map.groupBy(listeners, ({ port, who }) => `${port} ${who}`);
  const differs = [...groups.values()].flatMap((group) => {
    const [{ port, who, isOurs } = unknown] = group;
    const user = required.get(port);
    if (user === undefined || isOurs) return [];
    const at = fewOf(group.map(({ address }) => address));
    return [`${who} listens on ${port} (${at}), which ${user} requires; ${adviceFor(user)}`];
  });
  const outside = listeners.filter(
    ({ address }) => !/^(127\.|\[::1\]|\[::ffff:127\.)/.test(address),
  );
  const services = outside.flatMap(({ port, who }) => {
    const service = served.get(port);
    return service === undefined ? [] : [`${service} (${who})`];
  });
  const others = [...new Set(outside.map(({ port }) => port))].sort(byNumber);
  const note = [`open: ${others.join(', ') || 'none'}`, ...new Set(services)].join('; serves ');
  return { differs, note };
}

const unknown: Listener = { port: '', address: '', who: '', isOurs: true };

/** What requires a port on a jumphost, by `tcp 80`. */
function requiredPorts({ services }: Rack): Map<string, string> {
  const endpoints = Object.entries(services['power-cycle-daemon'].endpoints);
  return new Map([
    ...[...exclusivePorts].map(([port, service]) => [`tcp ${port}`, service] as const),
    ...endpoints.flatMap(([name, endpoint]) =>
      endpoint === undefined
        ? []
        : [[`tcp ${endpoint.port}`, `the ${name} endpoint of power-cycle-daemon`] as const],
    ),
    [`tcp ${k3sPort}`, 'k3s'],
    [`tcp ${kubeletPort}`, 'k3s'],
    [`tcp ${nodePort}`, 'node-exporter'],
    [`udp ${statementPort}`, 'skolo-active'],
    ['udp 123', 'chrony'],
  ]);
}

function adviceFor(user: string): string {
  return [...exclusivePorts.values()].some((service) => service === user)
    ? `stop it, or let it continue until you cut ${user} over (docs/adopt/existing-system.md)`
    : 'stop it, or change its port';
}

/** Units that skolo installs, and pods, some of which are skolo's. */
const ours = /^(skolo-.*|k3s|k3s-agent|chronyd?)\.service$/;

function listenerIn(line: string, commands: ReadonlyMap<string, string>): Listener[] {
  const [protocol = '', , , , local = ''] = line.split(/\s+/);
  const [, address = '', number] = /^(.*):(\d+)$/.exec(local) ?? [];
  if (number === undefined) return [];
  const group = / cgroup:(\S+)/.exec(line)?.[1] ?? '';
  const unit = /[^/]+\.service(?=\/|$)/.exec(group)?.[0];
  const program = commands.get(/.*,pid=(\d+),fd=/.exec(line)?.[1] ?? '');
  const user = / uid:(\d+)/.exec(line)?.[1] ?? '0';
  const who =
    unit ?? (program === undefined ? `a program of user ${user}` : `the program ${program}`);
  const isOurs = group.includes('kubepods') || (unit !== undefined && ours.test(unit));
  return [{ port: `${protocol} ${number}`, address, who, isOurs }];
}

function byNumber(a: string, b: string): number {
  return Number(a.slice(4)) - Number(b.slice(4));
}
