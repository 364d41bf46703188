/** Opens and moves the pdudaemon endpoint as rack.yaml says. If it cannot be opened, the daemon continues, and tries again later. */
import { setMaxListeners } from 'node:events';
import type { ServerOptions } from 'node:http';
import { isDeepStrictEqual } from 'node:util';
import { errorText } from '@skolo/base';
import { type ConnectionLimits, type DegradedList, type HostCheck, hostCheck } from '@skolo/common';
import { jumphostHosts, type Rack } from '@skolo/rack';
import type { EndpointDeps } from './endpoint.ts';
import { type EndpointSettings, Listener } from './listener.ts';
import { pdudaemon } from './protocols.ts';

const degradedKey = 'endpoint pdudaemon';

export interface EndpointKeeperDeps extends Omit<EndpointDeps, 'closing'> {
  rack: () => Rack;
  degraded: Pick<DegradedList, 'raise' | 'clear'>;
  connections: ConnectionLimits;
  /** How long until it is retried if something else is listening. */
  retryMs?: number | undefined;
  timeouts?: ServerOptions | undefined;
}

export class EndpointKeeper {
  private readonly deps: EndpointKeeperDeps;
  private open: Listener | undefined;
  /** Closed or moved, with clients that still wait for an answer. */
  private readonly retired = new Set<Listener>();
  private readonly closing = new AbortController();
  private following: Promise<void> = Promise.resolve();
  private retrying: NodeJS.Timeout | undefined;

  constructor(deps: EndpointKeeperDeps) {
    this.deps = deps;
    // Each pending answer adds a listener.
    setMaxListeners(0, this.closing.signal);
  }

  /** Opens or closes it as configured now. Never throws: an endpoint that cannot be opened is degraded. */
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
    await Promise.all([this.open, ...this.retired].map((listener) => listener?.close()));
  }

  private async followNow(): Promise<void> {
    if (this.closing.signal.aborted) return;
    clearTimeout(this.retrying);
    const { open, deps } = this;
    const settings = deps.rack().services['power-cycle-daemon'].endpoints.pdudaemon;
    if (open !== undefined && settings !== undefined && isSamePlace(open.settings, settings)) {
      open.settings = settings;
      return;
    }
    if (open !== undefined) this.retire(open);
    if (settings === undefined) deps.degraded.clear(degradedKey);
    else if (!(await this.tryOpen(settings)) && !this.closing.signal.aborted) {
      this.retrying = setTimeout(() => void this.follow(), deps.retryMs ?? 10_000).unref();
    }
  }

  private async tryOpen(settings: EndpointSettings): Promise<boolean> {
    const { log, degraded, connections, timeouts } = this.deps;
    const answers = pdudaemon({ ...this.deps, closing: this.closing.signal });
    const { hostCheck } = this;
    const listener = new Listener(settings, { answers, hostCheck, connections, log, timeouts });
    try {
      const port = await listener.open();
      log.info({ port }, 'pdudaemon endpoint open');
    } catch (error) {
      degraded.raise(degradedKey, errorText(error));
      return false;
    }
    degraded.clear(degradedKey);
    this.open = listener;
    return true;
  }

  /** From the current rack.yaml. */
  private readonly hostCheck: HostCheck = (request) =>
    hostCheck(jumphostHosts(this.deps.rack()))(request);

  private retire(listener: Listener): void {
    this.open = undefined;
    this.retired.add(listener);
    this.deps.log.info('pdudaemon endpoint closed');
    void listener.retire().then(() => this.retired.delete(listener));
  }
}

function isSamePlace(
  { allow: _, ...a }: EndpointSettings,
  { allow: __, ...b }: EndpointSettings,
): boolean {
  return isDeepStrictEqual(a, b);
}
