import { type GaugeSpec, registerGauges } from '@skolo/common';
import type { Rack } from '@skolo/rack';
import { Counter, Histogram, type Registry } from 'prom-client';
import { type PathClass, pathClasses } from './document/request.ts';
import type { Watchers } from './document/watchers.ts';
import type { EmitMetadata } from './events.ts';
import type { Tokens } from './tokens/tokens.ts';

interface RequestCount {
  labels: { class: string; code: string; identity: string };
  count: number;
}

export function createMetrics(
  registry: Registry,
  { rack, tokens, watchers }: { rack: () => Rack; tokens: Tokens; watchers: Watchers },
): EmitMetadata {
  const registers = [registry];
  // Counted in plain numbers and handed over at a scrape: prom-client's own counting with labels costs
  // more than all the rest of an answer.
  const counts = new Map<string, RequestCount>();
  const mismatches = new Map<string, number>();

  new Counter({
    name: 'skolo_metadata_requests_total',
    help: 'Requests on the public port.',
    labelNames: ['class', 'code', 'identity'],
    registers,
    collect() {
      this.reset();
      // From 0: what a counter has when it first appears is no increase.
      for (const identity of [...rack().identities.keys(), 'none']) {
        for (const each of pathClasses) this.inc({ class: each, code: '429', identity }, 0);
      }
      for (const { labels, count } of counts.values()) this.inc(labels, count);
    },
  });
  const gauges: Record<string, GaugeSpec<void>> = {
    skolo_metadata_token_remaining_seconds: {
      help: 'Life left in the usual token of an identity; 0 = no valid token.',
      labels: ['identity'],
      read: () =>
        tokens.status().map(({ account, token }) => {
          const left = token.unexpired() ? token.secondsLeft() : 0;
          return [{ identity: account.identity.name }, left];
        }),
    },
    skolo_metadata_watchers: {
      help: 'Requests that wait for a change.',
      read: () => watchers.size,
    },
  };
  registerGauges(registry, gauges, () => undefined);
  const upstreamCalls = new Counter({
    name: 'skolo_metadata_upstream_calls_total',
    help: 'Calls for a token.',
    labelNames: ['identity', 'kind', 'outcome'],
    registers,
  });
  const upstreamSeconds = new Histogram({
    name: 'skolo_metadata_upstream_call_duration_seconds',
    help: 'How long upstream took.',
    labelNames: ['identity', 'kind'],
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  });
  const unknownCallers = new Counter({
    name: 'skolo_metadata_unknown_caller_requests_total',
    help: 'Requests from addresses that have no identity in rack.yaml.',
    registers,
  });
  new Counter({
    name: 'skolo_metadata_mac_mismatches_total',
    help: "Requests from a machine's address, but not from its MAC.",
    labelNames: ['machine'],
    registers,
    collect() {
      this.reset();
      for (const { name, mac } of rack().machines.values()) {
        if (mac !== undefined) this.inc({ machine: name }, 0);
      }
      for (const [machine, count] of mismatches) this.inc({ machine }, count);
    },
  });

  function countAnswer(pathClass: PathClass, status: number, identity: string): void {
    const key = `${pathClass} ${status} ${identity}`;
    const known = counts.get(key);
    if (known) known.count += 1;
    else
      counts.set(key, { labels: { class: pathClass, code: String(status), identity }, count: 1 });
  }

  return function countEvent(event) {
    switch (event.type) {
      case 'answered':
        countAnswer(event.pathClass, event.status, event.identity);
        break;
      case 'unknown-caller':
        unknownCallers.inc();
        break;
      case 'mac-mismatch': {
        const { name } = event.caller;
        mismatches.set(name, (mismatches.get(name) ?? 0) + 1);
        break;
      }
      case 'upstream-call': {
        const { account, what: kind, seconds, error } = event.call;
        const identity = account.identity.name;
        const outcome = error === undefined ? 'success' : 'failure';
        upstreamCalls.inc({ identity, kind, outcome });
        upstreamSeconds.observe({ identity, kind }, seconds);
        break;
      }
      default:
    }
  };
}
