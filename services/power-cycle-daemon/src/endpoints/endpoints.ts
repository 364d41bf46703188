/** Opens and moves all endpoints as configured in rack.yaml. To add one: a file, and a line here. */
import { setMaxListeners } from 'node:events';
import type { ServerOptions } from 'node:http';
import { isDeepStrictEqual } from 'node:util';
import { errorText } from '@skolo/base';
import { type ConnectionLimits, type DegradedList, type HostCheck, hostCheck } from '@skolo/common';
import { jumphostHosts, type Rack } from '@skolo/rack';
import type { Endpoint, EndpointDeps } from './endpoint.ts';
import { type EndpointSettings, Listener } from './listener.ts';
import { pdudaemon } from './pdudaemon.ts';
import { report } from './report.ts';

const endpoints: readonly Endpoint[] = [pdudaemon, report];

export interface EndpointsDeps extends Omit<EndpointDeps, 'closing'> {
  rack: () => Rack;
  degraded: Pick<DegradedList, 'raise' | 'clear'>;
  connections: ConnectionLimits;
  /** How long until it is retried if something else is listening. */
  retryMs?: number | undefined;
  timeouts?: ServerOptions | undefined;
}

export class Endpoints {
  private readonly deps: EndpointsDeps;
  private readonly open = new Map<Endpoint['name'], Listener>();
  /** Closed or moved, with clients that still wait for an answer. */
  private readonly retired = new Set<Listener>();
  private readonly closing = new AbortController();
  private following: Promise<void> = Promise.resolve();
  private retrying: NodeJS.Timeout | undefined;

  constructor(deps: EndpointsDeps) {
    this.deps = deps;
    // Each pending answer adds a listener.
    setMaxListeners(0, this.closing.signal);
  }

  /** Opens and closes endpoints as configured now. Never throws: an endpoint that cannot be opened is degraded. */
  follow(): Promise<void> {
    this.following = this.following.then(() => this.followNow());
    return this.following;
  }

  /** Clients that still wait are told that the daemon is stopping. */
  async close(): Promise<void> {
    this.closing.abort(
      new Error(
        'the daemon is stopping, and may not have completed the request; check the outlet, and try again after the restart',
      ),
    );
    clearTimeout(this.retrying);
    await this.following;
    const all = [...this.open.values(), ...this.retired];
    this.open.clear();
    await Promise.all(all.map((listener) => listener.close()));
  }

  private async followNow(): Promise<void> {
    if (this.closing.signal.aborted) return;
    const wanted = this.deps.rack().services['power-cycle-daemon'].endpoints;
    clearTimeout(this.retrying);
    let failed = false;
    for (const endpoint of endpoints) {
      if (!(await this.followOne(endpoint, wanted[endpoint.name]))) failed = true;
    }
    if (!failed || this.closing.signal.aborted) return;
    this.retrying = setTimeout(() => void this.follow(), this.deps.retryMs ?? 10_000).unref();
  }

  /** Returns whether it is as configured. */
  private async followOne(
    endpoint: Endpoint,
    settings: EndpointSettings | undefined,
  ): Promise<boolean> {
    const now = this.open.get(endpoint.name);
    if (now !== undefined && settings !== undefined && isSamePlace(now.settings, settings)) {
      now.settings = settings;
      return true;
    }
    if (now !== undefined) this.retire(endpoint.name, now);
    if (settings !== undefined) return this.tryOpen(endpoint, settings);
    this.deps.degraded.clear(`endpoint ${endpoint.name}`);
    return true;
  }

  private async tryOpen(endpoint: Endpoint, settings: EndpointSettings): Promise<boolean> {
    const { log, store, events, take, snapshot, cycles, audit } = this.deps;
    const { degraded, connections, timeouts } = this.deps;
    const { name } = endpoint;
    const { hostCheck } = this;
    const closing = this.closing.signal;
    const answers = endpoint.create({ log, store, events, take, snapshot, cycles, audit, closing });
    const listener = new Listener(settings, {
      name,
      answers,
      hostCheck,
      connections,
      log,
      timeouts,
    });
    try {
      const port = await listener.open();
      log.info({ endpoint: name, port }, 'endpoint open');
    } catch (error) {
      degraded.raise(`endpoint ${name}`, errorText(error));
      return false;
    }
    degraded.clear(`endpoint ${name}`);
    this.open.set(name, listener);
    return true;
  }

  /** From the current rack.yaml. */
  private readonly hostCheck: HostCheck = (request) =>
    hostCheck(jumphostHosts(this.deps.rack()))(request);

  private retire(name: Endpoint['name'], listener: Listener): void {
    this.open.delete(name);
    this.retired.add(listener);
    this.deps.log.info({ endpoint: name }, 'endpoint closed');
    void listener.retire().then(() => this.retired.delete(listener));
  }
}

function isSamePlace(
  { allow: _, ...a }: EndpointSettings,
  { allow: __, ...b }: EndpointSettings,
): boolean {
  return isDeepStrictEqual(a, b);
}
