/**
 * Devices that tell when their configuration changed, by syslog or SNMP trap: off unless rack.yaml gives a port. A notice
 * proves nothing, since anybody can send a datagram with any sender; all that it does is that one device is read earlier.
 */
import type { RemoteInfo } from 'node:dgram';
import { type DegradedList, errorText, normaliseAddress } from '@skolo/common';
import type { Rack } from '@skolo/rack';
import { Settle } from './settle.ts';
import { changeInSyslog } from './syslog.ts';
import { changeInTrap, readTrap } from './traps.ts';
import { UdpPort } from './udp.ts';

export interface NoticesDeps {
  rack: () => Rack;
  log: Record<'info' | 'warn' | 'debug', (fields: object, message: string) => void>;
  degraded: Pick<DegradedList, 'raise' | 'clear'>;
  /** A device has changed, and has been quiet since. @param notice the kind of its first notice, without what was in it */
  onChange: (device: string, notice: string) => void;
  /** Where something else has the port now, it is tried again after so long. */
  retryMs?: number;
  /** How often what was dropped or ignored is told. */
  tellMs?: number;
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
  private telling: NodeJS.Timeout | undefined;
  private isClosed = false;

  constructor(deps: NoticesDeps) {
    this.deps = deps;
    this.settle = new Settle({
      settleSeconds: () => deps.rack().services['router-backup'].notices.settleSeconds,
      onQuiet: (device, notice) => deps.onChange(device, notice),
    });
  }

  /** Opens and closes what rack.yaml says now. Never throws: a port that cannot be had is degraded. */
  follow(): Promise<void> {
    this.following = this.following.then(() => this.followNow());
    return this.following;
  }

  /** Whether a device that was read because of a notice had changed; one that never has is listened to less. */
  outcome(device: string, changed: boolean): void {
    this.settle.outcome(device, changed);
  }

  /** Where it listens; undefined: not. */
  port(kind: Kind): number | undefined {
    return this.open.get(kind)?.udp.port;
  }

  async close(): Promise<void> {
    this.isClosed = true;
    clearTimeout(this.retrying);
    await this.following;
    clearTimeout(this.telling);
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

  /** Gives whether the port is as it should be. */
  private async followOne(kind: Kind, rack: Rack): Promise<boolean> {
    const wanted = rack.services['router-backup'].notices[settingOf[kind]];
    const now = this.open.get(kind);
    if (now !== undefined && now.settings === wanted) return true;
    this.open.delete(kind);
    await now?.udp.close();
    if (wanted !== undefined) return this.tryOpen(kind, wanted);
    this.deps.degraded.clear(`notices ${kind}`);
    return true;
  }

  private async tryOpen(kind: Kind, port: number): Promise<boolean> {
    const { log, degraded, mostPerSecond } = this.deps;
    const hear = kind === 'syslog' ? hearSyslog : hearTrap;
    const udp = new UdpPort({
      port,
      onMessage: (datagram, from, answer) => this.hear(hear, { datagram, from, answer }),
      onError: (err) => log.warn({ err, notices: kind }, 'notices failed'),
      ...(mostPerSecond !== undefined && { mostPerSecond }),
    });
    try {
      await udp.open();
    } catch (error) {
      degraded.raise(`notices ${kind}`, whyNotOpen(kind, port, error));
      return false;
    }
    degraded.clear(`notices ${kind}`);
    this.open.set(kind, { settings: port, udp });
    log.info({ notices: kind, port: udp.port }, 'notices open');
    return true;
  }

  private hear(read: Reader, heard: Heard): void {
    const device = this.deviceAt(heard.from);
    if (device === undefined) return;
    const said = read(heard);
    if (said === undefined) return;
    if ('ignore' in said) {
      this.ignore(said.ignore);
      return;
    }
    this.deps.log.debug({ device, notice: said.notice }, 'configuration changed, says the device');
    this.settle.heard(device, said.notice);
  }

  /** Exactly one device of rack.yaml has that address; who else speaks is nobody's business. */
  private deviceAt({ address }: RemoteInfo): string | undefined {
    const [device, another] = this.devices.get(normaliseAddress(address) ?? '') ?? [];
    if (device !== undefined && another === undefined) return device;
    this.ignore(device === undefined ? 'unknown sender' : 'several devices');
    return undefined;
  }

  /** Counted, and told once in a while: a flood must not fill the log. */
  private ignore(reason: Reason): void {
    this.ignored.set(reason, (this.ignored.get(reason) ?? 0) + 1);
    this.telling ??= setTimeout(() => {
      this.telling = undefined;
      const dropped = [...this.open.values()].reduce((sum, { udp }) => sum + udp.dropped, 0);
      const counts = { ...Object.fromEntries(this.ignored), dropped };
      this.deps.log.info({ counts, hint: hintFor(this.ignored) }, 'notices ignored');
      this.ignored.clear();
      for (const { udp } of this.open.values()) udp.dropped = 0;
    }, this.deps.tellMs ?? 60_000).unref();
  }
}

/** IPv4 is the same in both of its forms. */
function devicesByAddress({ infrastructure }: Rack): Map<string, string[]> {
  const devices = new Map<string, string[]>();
  for (const { name, address } of infrastructure.values()) {
    const normal = normaliseAddress(address ?? '');
    if (normal !== undefined) devices.set(normal, [...(devices.get(normal) ?? []), name]);
  }
  return devices;
}

interface Heard {
  datagram: Buffer;
  from: RemoteInfo;
  answer: (bytes: Buffer) => void;
}
type Reader = (heard: Heard) => { notice: string } | { ignore: Reason } | undefined;

/** What says something else is not worth a word. */
function hearSyslog({ datagram }: Heard): ReturnType<Reader> {
  const change = changeInSyslog(datagram);
  return change === undefined ? undefined : { notice: `syslog ${change}` };
}

function hearTrap({ datagram, answer }: Heard): ReturnType<Reader> {
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
    return 'encrypted SNMP notices cannot be read; let the device send them signed only, or syslog';
  }
  if (ignored.has('several devices')) {
    return 'several devices of rack.yaml share an address, so none of them is known by it';
  }
  return undefined;
}

function whyNotOpen(kind: Kind, port: number, error: unknown): string {
  const where = `cannot listen for ${kind} on UDP port ${port}`;
  const setting = `services.router-backup.notices.${settingOf[kind]} in rack.yaml`;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  switch (code) {
    case 'EADDRINUSE':
      return `${where}: something else listens there (ss -lunp sport = :${port} shows what); stop it, or give another port to ${setting}`;
    case 'EACCES':
      return `${where}: ports below 1024 need root or the capability CAP_NET_BIND_SERVICE; or give a port above to ${setting}`;
    default:
      return `${where}: ${errorText(error)}; see ${setting}`;
  }
}
