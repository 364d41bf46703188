import { type GaugeSpec, registerGauges } from '@skolo/common';
import type { Rack } from '@skolo/rack';
import { Counter, type Registry } from 'prom-client';
import { type PathClass, pathClasses } from './document/request.ts';
import type { Watchers } from './document/watchers.ts';
import type { EmitMetadata } from './events.ts';
import type { Tokens } from './tokens/tokens.ts';

interface RequestCount {
  labels: { class: string; code: string; identity: string };
  count: number;
}

interface MetricsDeps {
  rack: () => Rack;
  tokens: Tokens;
  watchers: Watchers;
}

/** Registers all metrics. @returns the function that counts an event */
export function createMetrics(registry: Registry, deps: MetricsDeps): EmitMetadata {
  const registers = [registry];
  registerGauges(registry, gauges, () => deps);
  const countAnswer = countRequests(registry, deps);
  const countMismatch = countMismatches(registry, deps);
  const upstreamCalls = new Counter({
    name: 'skolo_metadata_upstream_calls_total',
    help: "Requests for tokens sent upstream, such as to Google's token endpoint.",
    labelNames: ['identity', 'kind', 'outcome'],
    registers,
  });
  const unknownCallers = new Counter({
    name: 'skolo_metadata_unknown_caller_requests_total',
    help: 'Requests from addresses that have no identity in rack.yaml.',
    registers,
  });
  return function countEvent(event) {
    if (event.type === 'answered') countAnswer(event.pathClass, event.status, event.identity);
    else if (event.type === 'unknown-caller') unknownCallers.inc();
    else if (event.type === 'mac-mismatch') countMismatch(event.caller.name);
    else if (event.type === 'upstream-call') {
      const { account, what: kind, error } = event.call;
      const identity = account.identity.name;
      upstreamCalls.inc({ identity, kind, outcome: error === undefined ? 'success' : 'failure' });
    }
  };
}

const gauges: Record<string, GaugeSpec<MetricsDeps>> = {
  skolo_metadata_token_remaining_seconds: {
    help: "Remaining lifetime of an identity's default token; 0 if the token is not valid.",
    labels: ['identity'],
    read: ({ tokens }) =>
      tokens.status().map(({ account, token }) => {
        const left = token.unexpired() ? token.secondsLeft() : 0;
        return [{ identity: account.identity.name }, left];
      }),
  },
  skolo_metadata_watchers: {
    help: 'Requests that are waiting for a change.',
    read: ({ watchers }) => watchers.size,
  },
};

/** As plain numbers, read at a scrape: prom-client's labelled counters cost more than the rest of an answer. */
function countRequests(registry: Registry, { rack }: MetricsDeps) {
  const counts = new Map<string, RequestCount>();
  new Counter({
    name: 'skolo_metadata_requests_total',
    help: 'Requests on the public port.',
    labelNames: ['class', 'code', 'identity'],
    registers: [registry],
    collect() {
      this.reset();
      // From 0: a counter's first value does not count as an increase.
      for (const identity of [...rack().identities.keys(), 'none']) {
        for (const each of pathClasses) this.inc({ class: each, code: '429', identity }, 0);
      }
      for (const { labels, count } of counts.values()) this.inc(labels, count);
    },
  });
  return function countAnswer(pathClass: PathClass, status: number, identity: string): void {
    const key = `${pathClass} ${status} ${identity}`;
    const known = counts.get(key);
    if (known) known.count += 1;
    else
      counts.set(key, { labels: { class: pathClass, code: String(status), identity }, count: 1 });
  };
}

function countMismatches(registry: Registry, { rack }: MetricsDeps) {
  const mismatches = new Map<string, number>();
  new Counter({
    name: 'skolo_metadata_mac_mismatches_total',
    help: "Requests from a machine's IP address whose MAC address did not match rack.yaml or could not be determined.",
    labelNames: ['machine'],
    registers: [registry],
    collect() {
      this.reset();
      for (const { name, mac } of rack().machines.values()) {
        if (mac !== undefined) this.inc({ machine: name }, 0);
      }
      for (const [machine, count] of mismatches) this.inc({ machine }, count);
    },
  });
  return function countMismatch(machine: string): void {
    mismatches.set(machine, (mismatches.get(machine) ?? 0) + 1);
  };
}
