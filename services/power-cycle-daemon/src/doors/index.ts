/** All doors, opened as rack.yaml says, and opened anew when it says something else. To add one: a file, and a line here. */
import { setMaxListeners } from 'node:events';
import type { ServerOptions } from 'node:http';
import { isDeepStrictEqual } from 'node:util';
import { type DegradedList, errorText, type HostCheck, hostCheck } from '@skolo/common';
import { jumphostHosts, type Rack } from '@skolo/rack';
import type { Door, DoorDeps } from './door.ts';
import { type DoorSettings, Listener } from './listener.ts';
import { pdudaemon } from './pdudaemon.ts';
import { report } from './report.ts';

const doors: readonly Door[] = [pdudaemon, report];

export interface DoorsDeps extends Omit<DoorDeps, 'closing'> {
  rack: () => Rack;
  degraded: Pick<DegradedList, 'raise' | 'clear'>;
  /** Where something else listens now, it is tried again after so long. */
  retryMs?: number;
  timeouts?: ServerOptions;
}

export class Doors {
  private readonly deps: DoorsDeps;
  private readonly open = new Map<Door['name'], Listener>();
  /** Closed or moved, with somebody still waiting for an answer. */
  private readonly retired = new Set<Listener>();
  private readonly closing = new AbortController();
  private following: Promise<void> = Promise.resolve();
  private retrying: NodeJS.Timeout | undefined;

  constructor(deps: DoorsDeps) {
    this.deps = deps;
    // Each answer that is held wants to hear of it.
    setMaxListeners(0, this.closing.signal);
  }

  /** Opens and closes what rack.yaml says now. Never throws: a door that cannot be opened is degraded. */
  follow(): Promise<void> {
    this.following = this.following.then(() => this.followNow());
    return this.following;
  }

  /** Where a door listens; undefined while it is closed. */
  port(name: Door['name']): number | undefined {
    return this.open.get(name)?.port;
  }

  /** Whoever still waits is told that the daemon stops. */
  async close(): Promise<void> {
    this.closing.abort(new Error('the daemon stops; what was begun goes on when it is back'));
    clearTimeout(this.retrying);
    await this.following;
    const all = [...this.open.values(), ...this.retired];
    this.open.clear();
    await Promise.all(all.map((listener) => listener.close()));
  }

  private async followNow(): Promise<void> {
    if (this.closing.signal.aborted) return;
    const wanted = this.deps.rack().services['power-cycle-daemon'].doors;
    clearTimeout(this.retrying);
    let failed = false;
    for (const door of doors) {
      if (!(await this.followOne(door, wanted[door.name]))) failed = true;
    }
    if (!failed || this.closing.signal.aborted) return;
    this.retrying = setTimeout(() => void this.follow(), this.deps.retryMs ?? 10_000).unref();
  }

  /** Gives whether the door is as it should be. */
  private async followOne(door: Door, settings: DoorSettings | undefined): Promise<boolean> {
    const now = this.open.get(door.name);
    if (now !== undefined && settings !== undefined && isSamePlace(now.settings, settings)) {
      now.settings = settings;
      return true;
    }
    if (now !== undefined) this.retire(door.name, now);
    if (settings !== undefined) return this.tryOpen(door, settings);
    this.deps.degraded.clear(`door ${door.name}`);
    return true;
  }

  private async tryOpen(door: Door, settings: DoorSettings): Promise<boolean> {
    const { log, degraded, timeouts } = this.deps;
    const { name } = door;
    const answers = door.create({ ...this.deps, closing: this.closing.signal });
    const listener = new Listener(settings, {
      name,
      answers,
      hostCheck: this.hostCheck,
      log,
      ...(timeouts && { timeouts }),
    });
    try {
      await listener.open();
    } catch (error) {
      degraded.raise(`door ${name}`, whyNotOpen(name, settings, error));
      return false;
    }
    degraded.clear(`door ${name}`);
    this.open.set(name, listener);
    log.info({ door: name, port: listener.port }, 'door open');
    return true;
  }

  /** By rack.yaml as it is now. */
  private readonly hostCheck: HostCheck = (request) =>
    hostCheck(jumphostHosts(this.deps.rack()))(request);

  private retire(name: Door['name'], listener: Listener): void {
    this.open.delete(name);
    this.retired.add(listener);
    this.deps.log.info({ door: name }, 'door closed');
    void listener.retire().then(() => this.retired.delete(listener));
  }
}

function isSamePlace({ allow: _, ...a }: DoorSettings, { allow: __, ...b }: DoorSettings): boolean {
  return isDeepStrictEqual(a, b);
}

function whyNotOpen(name: string, { port, host }: DoorSettings, error: unknown): string {
  const where = `cannot listen on port ${port}${host === undefined ? '' : ` of ${host}`}`;
  const setting = `services.power-cycle-daemon.doors.${name} in rack.yaml`;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  switch (code) {
    case 'EADDRINUSE':
      return `${where}: something else listens there (ss -ltnp sport = :${port} shows what); stop it, or give another port to ${setting}`;
    case 'EADDRNOTAVAIL':
      return `${where}: this computer does not have that address; correct \`host\` of ${setting}`;
    default:
      return `${where}: ${errorText(error)}; see ${setting}`;
  }
}
