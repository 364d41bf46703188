/** The pdudaemon endpoint, open where rack.yaml says. */
import { setMaxListeners } from 'node:events';
import { ConfiguredPort, type DegradedList } from '@skolo/common';
import { Listener, type ListenerDeps, type Place } from './listener.ts';

export interface EndpointDeps extends Omit<ListenerDeps, 'closing'> {
  degraded: Pick<DegradedList, 'set'>;
  /** How long until it is retried if something else is listening. */
  retryMs?: number | undefined;
}

export class PdudaemonEndpoint {
  private readonly deps: EndpointDeps;
  private readonly closing = new AbortController();
  /** Open, or moved with clients that still wait for an answer. */
  private readonly listeners = new Set<Listener>();
  private readonly port: ConfiguredPort<Place, Listener>;

  constructor(deps: EndpointDeps) {
    this.deps = deps;
    const { rack, log, degraded, retryMs } = deps;
    // Each pending answer adds a listener.
    setMaxListeners(0, this.closing.signal);
    this.port = new ConfiguredPort({
      settings() {
        const settings = rack().services['power-cycle-daemon'].endpoints.pdudaemon;
        return settings && { port: settings.port, host: settings.host };
      },
      open: (place) => this.open(place),
      close: async (listener) => {
        log.info('pdudaemon endpoint closed');
        void listener.retire().then(() => this.listeners.delete(listener));
      },
      degraded: (why) => degraded.set('endpoint pdudaemon', why),
      retryMs,
    });
  }

  follow(): Promise<void> {
    return this.port.follow();
  }

  /** Clients that still wait are told that the daemon is stopping. */
  async close(): Promise<void> {
    this.closing.abort(
      new Error(
        'the daemon is stopping, and may not have completed the request; check the outlet, and try again after the restart',
      ),
    );
    await this.port.close();
    await Promise.all([...this.listeners].map((listener) => listener.close()));
  }

  private async open(place: Place): Promise<Listener> {
    const listener = new Listener({ ...this.deps, closing: this.closing.signal });
    const port = await listener.open(place);
    this.deps.log.info({ port }, 'pdudaemon endpoint open');
    this.listeners.add(listener);
    return listener;
  }
}
