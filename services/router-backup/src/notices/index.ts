/**
 * Receives syslog messages and SNMP traps by which devices report a configuration change: off unless rack.yaml sets a port. A notice proves
 * nothing, since every host can send a datagram with any source address. Its only effect is that one device is read earlier.
 */
import type { RemoteInfo } from 'node:dgram';
import { errorCode, errorText } from '@skolo/base';
import { normaliseAddress } from '@skolo/common';
import type { Rack } from '@skolo/rack';
import type { EmitBackup } from '../events.ts';
import { Settle } from './settle.ts';
import { changeInSyslog } from './syslog.ts';
import { changeInTrap, readTrap } from './traps.ts';
import { UdpPort } from './udp.ts';

export interface NoticesDeps {
  rack: () => Rack;
  log: Record<'info' | 'warn' | 'debug', (fields: object, message: string) => void>;
  emit: EmitBackup;
  /** Pause between attempts to open a port that another program uses. */
  retryMs?: number;
  /** The shortest interval at which dropped and ignored datagrams are logged. */
  reportMs?: number;
  mostPerSecond?: number;
}

type Kind = 'syslog' | 'traps';
type Port = { settings: number; udp: UdpPort };
type Reason = 'unknown sender' | 'not understood' | 'encrypted' | 'several devices';

const kinds = ['syslog', 'traps'] as const;
const settingOf = { syslog: 'syslogPort', traps: 'trapPort' } as const;

export class Notices {
  private readonly deps: NoticesDeps;
  private readonly settle: Settle;
  private readonly open = new Map<Kind, Port>();
  private readonly ignored = new Map<Reason, number>();
  private devices: ReadonlyMap<string, string[]> = new Map();
  private following: Promise<void> = Promise.resolve();
  private retrying: NodeJS.Timeout | undefined;
  private reporting: NodeJS.Timeout | undefined;
  private isClosed = false;

  constructor(deps: NoticesDeps) {
    this.deps = deps;
    this.settle = new Settle({
      settleSeconds: () => deps.rack().services['router-backup'].notices.settleSeconds,
      // The kind of the first notice, without its content.
      onQuiet: (device, notice) => deps.emit({ type: 'device-changed', device, notice }),
    });
  }

  /** Applies the current rack.yaml. Never throws: a port that cannot be opened is degraded. */
  follow(): Promise<void> {
    this.following = this.following.then(() => this.followNow());
    return this.following;
  }

  /** Whether a device that was read because of a notice had changed. Unfounded notices delay the next ones. */
  outcome(device: string, changed: boolean): void {
    this.settle.outcome(device, changed);
  }

  /** The open port; undefined: closed. */
  port(kind: Kind): number | undefined {
    return this.open.get(kind)?.udp.port;
  }

  async close(): Promise<void> {
    this.isClosed = true;
    clearTimeout(this.retrying);
    await this.following;
    clearTimeout(this.reporting);
    this.settle.close();
    await Promise.all([...this.open.values()].map(({ udp }) => udp.close()));
    this.open.clear();
  }

  private async followNow(): Promise<void> {
    if (this.isClosed) return;
    const rack = this.deps.rack();
    this.settle.retain(rack.infrastructure);
    this.devices = devicesByAddress(rack);
    clearTimeout(this.retrying);
    let failed = false;
    for (const kind of kinds) {
      if (!(await this.followOne(kind, rack))) failed = true;
    }
    if (!failed || this.isClosed) return;
    this.retrying = setTimeout(() => void this.follow(), this.deps.retryMs ?? 10_000).unref();
  }

  /** Returns whether the port is as configured in rack.yaml. */
  private async followOne(kind: Kind, rack: Rack): Promise<boolean> {
    const wanted = rack.services['router-backup'].notices[settingOf[kind]];
    const now = this.open.get(kind);
    if (now !== undefined && now.settings === wanted) return true;
    this.open.delete(kind);
    await now?.udp.close();
    if (wanted !== undefined) return this.tryOpen(kind, wanted);
    this.deps.emit({ type: 'degraded', what: `notices ${kind}` });
    return true;
  }

  private async tryOpen(kind: Kind, port: number): Promise<boolean> {
    const { log, emit, mostPerSecond } = this.deps;
    const name = `notices ${kind}`;
    const read = kind === 'syslog' ? readSyslog : readSnmp;
    const udp = new UdpPort({
      port,
      onMessage: (datagram, from, answer) => this.receive(read, { datagram, from, answer }),
      onError: (err) => log.warn({ err, notices: kind }, 'notices failed'),
      mostPerSecond,
    });
    try {
      await udp.open();
    } catch (error) {
      emit({ type: 'degraded', what: name, why: whyNotOpen(kind, port, error) });
      return false;
    }
    emit({ type: 'degraded', what: name });
    this.open.set(kind, { settings: port, udp });
    log.info({ notices: kind, port: udp.port }, 'notices open');
    return true;
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
      'device reported a configuration change',
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
      const dropped = [...this.open.values()].reduce((sum, { udp }) => sum + udp.dropped, 0);
      const counts = { ...Object.fromEntries(this.ignored), dropped };
      this.deps.log.info({ counts, hint: hintFor(this.ignored) }, 'notices ignored');
      this.ignored.clear();
      for (const { udp } of this.open.values()) udp.dropped = 0;
    }, this.deps.reportMs ?? 60_000).unref();
  }
}

/** Both forms of an IPv4 address have the same key. */
function devicesByAddress({ infrastructure }: Rack): Map<string, string[]> {
  const devices = new Map<string, string[]>();
  for (const { name, address } of infrastructure.values()) {
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
    return 'encrypted SNMP notices cannot be read; configure the device to send them without encryption, or to send syslog messages instead';
  }
  if (ignored.has('several devices')) {
    return 'several devices in rack.yaml share an address, so the sender of notices from this address is unknown';
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
