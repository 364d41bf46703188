/** The agents of all machines in rack.yaml, each watched separately, so that none delays another. */
import type { IncomingMessage } from 'node:http';
import * as https from 'node:https';
import type { Fetch } from '@skolo/api';
import * as http from '@skolo/base/http';
import { serviceUrl } from '@skolo/rack';
import type { AgentView } from '../join/sources.ts';
import type { PartDeps } from '../part-deps.ts';
import { type AgentTuning, AgentWatch } from './agent-watch.ts';

interface AgentsDeps extends Pick<PartDeps, 'rack' | 'clock' | 'emit'> {
  tuning: AgentTuning;
}

export class Agents {
  private readonly deps: AgentsDeps;
  private readonly watches = new Map<string, AgentWatch>();
  private readonly closing = new Set<Promise<void>>();
  private readonly connections = new KeptConnections();

  constructor(deps: AgentsDeps) {
    this.deps = deps;
  }

  /** Watches the machines that are in rack.yaml now, at their current addresses. */
  follow(): void {
    const rack = this.deps.rack();
    for (const [machine, watch] of this.watches) {
      const entry = rack.machines.get(machine);
      const url = entry && serviceUrl(rack, 'swarming-client', entry);
      if (url === watch.url) continue;
      this.watches.delete(machine);
      this.close(watch);
    }
    for (const [machine, entry] of rack.machines) {
      if (this.watches.has(machine)) continue;
      const { clock, tuning, emit } = this.deps;
      const { fetch } = this.connections;
      const url = serviceUrl(rack, 'swarming-client', entry);
      const watch = new AgentWatch({
        machine,
        url,
        clock,
        tuning,
        fetch,
        staleSeconds: () => this.deps.rack().services['machine-state'].staleSeconds,
        onView: () => emit({ type: 'agent', machine }),
      });
      this.watches.set(machine, watch);
      watch.start();
    }
  }

  view(machine: string): AgentView {
    return this.watches.get(machine)?.view() ?? { silentSeconds: 0 };
  }

  /** It responds, or did so a moment ago. */
  isAlive(machine: string): boolean {
    const { status, silentSeconds } = this.view(machine);
    const { staleSeconds } = this.deps.rack().services['machine-state'];
    return status !== undefined && silentSeconds <= staleSeconds;
  }

  async stop(): Promise<void> {
    for (const watch of this.watches.values()) this.close(watch);
    this.watches.clear();
    await Promise.all(this.closing);
    this.connections.close();
  }

  private close(watch: AgentWatch): void {
    const closed = watch.close().finally(() => this.closing.delete(closed));
    this.closing.add(closed);
  }
}

/**
 * `fetch` with node:http, because an answer takes half the processor time of the global one. Connections stay open between the requests of a
 * long poll.
 */
class KeptConnections {
  private readonly plain = new http.Agent({ keepAlive: true });
  private readonly tls = new https.Agent({ keepAlive: true });

  readonly fetch: Fetch = (url, { method, headers, body, signal }) =>
    new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const isTls = url.startsWith('https:');
      const agent = isTls ? this.tls : this.plain;
      const sent = (isTls ? https : http).request(url, { method, headers, agent });
      let answer: IncomingMessage | undefined;
      signal.addEventListener('abort', () => (answer ?? sent).destroy(signal.reason));
      sent.on('error', reject);
      sent.on('response', (message) => {
        answer = message;
        const { statusCode: status = 0 } = message;
        resolve({
          status,
          ok: status >= 200 && status < 300,
          headers: { get: (name) => message.headers[name]?.toString() ?? null },
          body: message,
        });
      });
      sent.end(body);
    });

  close(): void {
    this.plain.destroy();
    this.tls.destroy();
  }
}
