/**
 * Receives syslog messages and SNMP traps by which equipment reports a configuration change, so that it is backed up soon: off unless
 * rack.yaml sets a port. A notice proves nothing, since every host can send a datagram with any source address. Its only effect is that
 * one device is read earlier.
 */
import type { RemoteInfo } from 'node:dgram';
import { errorCode, errorText } from '@skolo/base';
import { ConfiguredPort, normaliseAddress } from '@skolo/common';
import type { Rack } from '@skolo/rack';
import type { PartDeps } from '../part-deps.ts';
import { Settle } from './settle.ts';
import { changeInSyslog } from './syslog.ts';
import { changeInTrap, readTrap } from './traps.ts';
import { UdpPort } from './udp.ts';

export interface NoticesDeps extends Pick<PartDeps, 'rack' | 'emit'> {
  log: Record<'info' | 'warn' | 'debug', (fields: object, message: string) => void>;
  /** Pause between attempts to open a port that another program uses. */
  retryMs?: number;
  /** The shortest interval at which dropped and ignored datagrams are logged. */
  reportMs?: number;
  mostPerSecond?: number;
}

type Kind = 'syslog' | 'traps';
type Reason = 'unknown sender' | 'not understood' | 'encrypted' | 'several devices';

const kinds = ['syslog', 'traps'] as const;
const settingOf = { syslog: 'syslogPort', traps: 'trapPort' } as const;

export class Notices {
  private readonly deps: NoticesDeps;
  private readonly settle: Settle;
  private readonly ports: Readonly<Record<Kind, ConfiguredPort<number, UdpPort>>>;
  private readonly ignored = new Map<Reason, number>();
  private devices: ReadonlyMap<string, string[]> = new Map();
  private reporting: NodeJS.Timeout | undefined;

  constructor(deps: NoticesDeps) {
    this.deps = deps;
    this.settle = new Settle({
      settleSeconds: () => deps.rack().services['router-backup'].notices.settleSeconds,
      // The kind of the first notice, without its content.
      onQuiet: (device, notice) => deps.emit({ type: 'device-changed', device, notice }),
    });
    this.ports = { syslog: this.portOf('syslog'), traps: this.portOf('traps') };
  }

  /** Applies the current rack.yaml. Never throws: a port that cannot be opened is degraded. */
  async follow(): Promise<void> {
    const rack = this.deps.rack();
    this.settle.retain(rack.equipment);
    this.devices = devicesByAddress(rack);
    await Promise.all(kinds.map((kind) => this.ports[kind].follow()));
  }

  /** Whether a device that was read because of a notice had changed. Unfounded notices delay the next ones. */
  outcome(device: string, changed: boolean): void {
    this.settle.outcome(device, changed);
  }

  /** The open port; undefined: closed. */
  port(kind: Kind): number | undefined {
    return this.ports[kind].opened?.port;
  }

  async close(): Promise<void> {
    await Promise.all(kinds.map((kind) => this.ports[kind].close()));
    clearTimeout(this.reporting);
    this.settle.close();
  }

  private portOf(kind: Kind): ConfiguredPort<number, UdpPort> {
    const { rack, log, emit, mostPerSecond, retryMs } = this.deps;
    const read = kind === 'syslog' ? readSyslog : readSnmp;
    return new ConfiguredPort({
      settings: () => rack().services['router-backup'].notices[settingOf[kind]],
      open: async (port) => {
        const udp = new UdpPort({
          port,
          onMessage: (datagram, from, answer) => this.receive(read, { datagram, from, answer }),
          onError: (err) => log.warn({ err, notices: kind }, 'notices failed'),
          mostPerSecond,
        });
        await udp.open().catch((cause: unknown) => {
          throw new Error(whyNotOpen(kind, port, cause), { cause });
        });
        log.info({ notices: kind, port: udp.port }, 'notices open');
        return udp;
      },
      close: (udp) => udp.close(),
      degraded: (why) =>
        emit({ type: 'degraded', what: `notices ${kind}`, ...(why !== undefined && { why }) }),
      retryMs,
    });
  }

  private receive(read: Reader, received: Received): void {
    const device = this.deviceAt(received.from);
    const result = device === undefined ? undefined : read(received);
    if (device === undefined || result === undefined) return;
    if ('ignore' in result) {
      this.ignore(result.ignore);
      return;
    }
    this.deps.log.debug(
      { device, notice: result.notice },
      'equipment reported a configuration change',
    );
    this.settle.add(device, result.notice);
  }

  /** The only device in rack.yaml with that address. */
  private deviceAt({ address }: RemoteInfo): string | undefined {
    const [device, another] = this.devices.get(normaliseAddress(address) ?? '') ?? [];
    if (device !== undefined && another === undefined) return device;
    this.ignore(device === undefined ? 'unknown sender' : 'several devices');
    return undefined;
  }

  /** Counts them, and logs occasionally: a flood must not fill the log. */
  private ignore(reason: Reason): void {
    this.ignored.set(reason, (this.ignored.get(reason) ?? 0) + 1);
    this.reporting ??= setTimeout(() => {
      this.reporting = undefined;
      const open = kinds.flatMap((kind) => this.ports[kind].opened ?? []);
      const dropped = open.reduce((sum, udp) => sum + udp.dropped, 0);
      const counts = { ...Object.fromEntries(this.ignored), dropped };
      this.deps.log.info({ counts, hint: hintFor(this.ignored) }, 'notices ignored');
      this.ignored.clear();
      for (const udp of open) udp.dropped = 0;
    }, this.deps.reportMs ?? 60_000).unref();
  }
}

/** Both forms of an IPv4 address have the same key. */
function devicesByAddress({ equipment }: Rack): Map<string, string[]> {
  const devices = new Map<string, string[]>();
  for (const { name, address } of equipment.values()) {
    const normal = normaliseAddress(address ?? '');
    if (normal !== undefined) devices.set(normal, [...(devices.get(normal) ?? []), name]);
  }
  return devices;
}

interface Received {
  datagram: Buffer;
  from: RemoteInfo;
  answer: (bytes: Buffer) => void;
}
type Reader = (received: Received) => { notice: string } | { ignore: Reason } | undefined;

/** Undefined: it reports something else. */
function readSyslog({ datagram }: Received): ReturnType<Reader> {
  const change = changeInSyslog(datagram);
  return change === undefined ? undefined : { notice: `syslog ${change}` };
}

function readSnmp({ datagram, answer }: Received): ReturnType<Reader> {
  try {
    const trap = readTrap(datagram);
    if (trap === undefined) return { ignore: 'encrypted' };
    const change = changeInTrap(trap);
    if (trap.answer) answer(trap.answer);
    return change === undefined ? undefined : { notice: `trap ${change}` };
  } catch {
    return { ignore: 'not understood' };
  }
}

function hintFor(ignored: ReadonlyMap<Reason, number>): string | undefined {
  if (ignored.has('encrypted')) {
    return 'encrypted SNMP notices cannot be read; configure the equipment to send them without encryption, or to send syslog messages instead';
  }
  if (ignored.has('several devices')) {
    return 'several entries in rack.yaml share an address, so the sender of notices from this address is unknown';
  }
  return undefined;
}

function whyNotOpen(kind: Kind, port: number, error: unknown): string {
  const where = `cannot listen for ${kind} on UDP port ${port}`;
  const setting = `services.router-backup.notices.${settingOf[kind]} in rack.yaml`;
  switch (errorCode(error)) {
    case 'EADDRINUSE':
      return `${where}: the port is in use; run ss -lunp sport = :${port} to find the program that uses it, or set another port in ${setting}`;
    case 'EACCES':
      return `${where}: ports below 1024 require root or the capability CAP_NET_BIND_SERVICE; alternatively, set a higher port in ${setting}`;
    default:
      return `${where}: ${errorText(error)}; see ${setting}`;
  }
}
