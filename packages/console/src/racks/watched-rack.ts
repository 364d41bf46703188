/** Keeps one rack of `skolo console` connected: the connection is reopened whenever it fails, and the last known state is shown. */

import {
  ApiError,
  ApiUnreachable,
  type ClientAnswer,
  type ConsoleRack,
  createClient,
  machineStateApi,
  type RackView,
} from '@skolo/api';
import { followed } from '@skolo/api/server-events';
import { errorText } from '@skolo/base';
import type { Fetch } from '@skolo/base/internet';

/** To machine-state. Reconnects automatically. */
interface Way {
  baseUrl: string;
  /** The name in its rack.yaml. */
  rack: string;
  fetch: Fetch;
}

interface Deps {
  name: string;
  /** @throws Error The message says what to do. */
  open(signal: AbortSignal): Promise<Way>;
  /** The saved token, read for each connection, so that a `skolo login` elsewhere is enough. */
  savedToken(): Promise<string | undefined>;
  /** Milliseconds since 1970. */
  now(): number;
  /** The connection is a new one. */
  onConnection(rack: ConsoleRack): void;
}

type Changes = ClientAnswer<(typeof machineStateApi)['changes']>['events'];
type Change = Changes extends AsyncIterable<infer Each> ? Each : never;

/** Longer than a request waits for the tunnel, so that ssh's error is shown. */
const timeoutMs = 25_000;

export class WatchedRack {
  readonly name: string;
  token: string | undefined;
  way: Way | undefined;
  private readonly deps: Deps;
  private state: ConsoleRack;
  /** By name: whether it needs attention. */
  private readonly machines = new Map<string, boolean>();
  private view: RackView | undefined;
  /** A page's token takes precedence over the saved one; signing out leaves none. */
  private isTokenGiven = false;
  private again = new AbortController();

  constructor(deps: Deps) {
    this.deps = deps;
    this.name = deps.name;
    this.state = { name: deps.name, connection: 'connecting', since: this.time() };
  }

  current(): ConsoleRack {
    const { view } = this;
    if (!view) return this.state;
    const { causes, alerts, services } = view;
    const troubled = services.filter(
      ({ state, ready, degraded }) => state !== 'unknown' && (!ready || degraded.length > 0),
    );
    return {
      ...this.state,
      known: {
        machines: this.machines.size,
        needsAttention: [...this.machines.values()].filter((needs) => needs).length,
        causes: causes.map((cause) => ({ ...cause, machines: cause.machines.length })),
        alerts: alerts.length,
        services: troubled.map(({ name }) => name),
      },
    };
  }

  /** Replaces the saved token until the command ends. */
  useToken(token: string | undefined): void {
    this.isTokenGiven = true;
    this.token = token;
    this.again.abort();
  }

  /** Until the signal is aborted. */
  async run(stop: AbortSignal): Promise<void> {
    const changes = followed({
      connect: (lastId) => this.connect(lastId, stop),
      lost: (error) => this.lost(error),
      signal: stop,
    });
    try {
      for await (const change of changes) this.take(change);
    } catch (error) {
      if (!stop.aborted) throw error;
    }
  }

  private async connect(lastId: string | undefined, stop: AbortSignal): Promise<Changes> {
    this.again = new AbortController();
    const signal = AbortSignal.any([stop, this.again.signal]);
    this.way ??= await this.deps.open(signal);
    if (!this.isTokenGiven) this.token = await this.deps.savedToken();
    const client = createClient(machineStateApi, { ...this.way, token: this.token, timeoutMs });
    return (await client.changes({ headers: { 'last-event-id': lastId }, signal })).events;
  }

  private lost(error: unknown): AbortSignal {
    const { signal } = this.again;
    if (!signal.aborted) this.connection('lost', this.reasonOf(error));
    // Tries another token immediately.
    return signal;
  }

  private take(change: Change): void {
    const { name, data } = change;
    if (name === 'all') {
      this.machines.clear();
      for (const machine of data.machines) this.note(machine);
      this.view = data.rack;
    } else if (name === 'machine') this.note(data);
    else if (name === 'removed') this.machines.delete(data.name);
    else this.view = data;
    this.connection('live');
  }

  private note({
    name,
    needsAttention,
  }: {
    name: string;
    needsAttention?: string | undefined;
  }): void {
    this.machines.set(name, needsAttention !== undefined);
  }

  private connection(connection: ConsoleRack['connection'], why?: string): void {
    const { connection: before, since, why: whyBefore } = this.state;
    if (before === connection && whyBefore === why) return;
    this.state = {
      name: this.name,
      connection,
      since: before === connection ? since : this.time(),
      ...(why !== undefined && { why }),
    };
    this.deps.onConnection(this.current());
  }

  private reasonOf(error: unknown): string {
    const rejected = error instanceof ApiError && [401, 403].includes(error.status);
    if (rejected) return `${error.message}; save your token with skolo login ${this.name}`;
    const text = error instanceof ApiUnreachable ? `machine-state: ${error.why}` : errorText(error);
    return text.replace(`${this.name}: `, '');
  }

  private time(): string {
    return new Date(this.deps.now()).toISOString();
  }
}

/** Worst first: those in an unknown state, then by the fraction of machines that do not work. */
export function worstFirst(racks: readonly ConsoleRack[]): ConsoleRack[] {
  return [...racks].sort((a, b) => badness(b) - badness(a) || a.name.localeCompare(b.name));
}

function badness({ connection, known }: ConsoleRack): number {
  if (connection === 'lost') return Number.POSITIVE_INFINITY;
  if (!known) return 0;
  const behindCauses = known.causes.reduce((sum, { machines }) => sum + machines, 0);
  const ofTheRack = known.alerts + known.services.length;
  // Less than one machine, however many there are.
  return behindCauses + known.needsAttention + ofTheRack / (ofTheRack + 1);
}
