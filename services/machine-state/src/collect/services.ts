/** Polls the other services' APIs: cycles, outlets, backups, alerts, tokens. The part of a silent service is absent. */
import type { DeliveryFacts } from '@skolo/alerts/delivery-state';
import {
  type BackupEquipment,
  type Client,
  type KnownAlert,
  type MetadataClient,
  PowerCycle,
  powerCycleDaemonApi,
  type ServiceState,
} from '@skolo/api';
import { followed } from '@skolo/api/server-events';
import { wallTime } from '@skolo/common';
import { z } from 'zod';
import { given } from '../join/machine.ts';
import { judged } from '../join/service-state.ts';
import type { PowerView, Services } from '../join/sources.ts';
import type { PartDeps } from '../part-deps.ts';
import { Poll } from './poll.ts';
import { askReadiness, type Probe } from './readiness.ts';
import { type AskedService, askedServices, serviceApis, serviceClient } from './service-apis.ts';

export interface ServiceTuning {
  powerMs: number;
  alertsMs: number;
  clientsMs: number;
  backupsMs: number;
  readyMs: number;
  /** Maximum time between attempts to follow the cycles, and until the second attempt after a failure. */
  retryMs: number;
}

export const usualServiceTuning: ServiceTuning = {
  powerMs: 10_000,
  alertsMs: 5000,
  clientsMs: 30_000,
  backupsMs: 60_000,
  readyMs: 15_000,
  retryMs: 5000,
};

interface ServicesDeps extends Pick<PartDeps, 'rack' | 'clock' | 'emit'> {
  tuning: ServiceTuning;
}

/** Cycles during an outage of this service. */
const mostMissed = 500;
const timeoutMs = 10_000;
/** A rack of a thousand machines with all their outlets. */
const mostBytes = 16 * 1024 * 1024;

/** Without the schema of a cycle: one that cannot be read, for example of a newer version, does not hide the others. */
const cyclesApi = {
  cycles: {
    ...powerCycleDaemonApi.cycles,
    answers: { 200: z.object({ cycles: z.array(z.unknown()) }) },
  },
  cycleEvents: { ...powerCycleDaemonApi.cycleEvents, events: { cycle: z.unknown() } },
};

export class OtherServices {
  private readonly deps: ServicesDeps;
  private readonly power: Poll<PowerView>;
  private readonly clients: Poll<Map<string, MetadataClient>>;
  private readonly backups: Poll<Map<string, BackupEquipment>>;
  private readonly alerts: Poll<KnownAlert[]>;
  private readonly delivery: Poll<DeliveryFacts>;
  private readonly probes: ReadonlyMap<AskedService, Poll<Probe>>;
  private readonly cycles = new Map<string, PowerCycle>();
  private readonly stopping = new AbortController();
  private following: Promise<void> = Promise.resolve();

  constructor(deps: ServicesDeps) {
    this.deps = deps;
    const { tuning, emit, clock } = deps;
    const { retryMs } = tuning;
    const { presence } = clock;
    const onChange = () => emit({ type: 'services' });
    const poll = <T>(
      everyMs: number,
      ask: (signal: AbortSignal) => Promise<T>,
      onAnswer = onChange,
    ) => new Poll({ ask, everyMs, retryMs, presence, onAnswer });
    this.power = poll(tuning.powerMs, async (signal) => {
      const client = await this.client('power-cycle-daemon');
      const [{ machines }, { controllers }] = await Promise.all([
        client.machines({ signal }),
        client.controllers({ signal }),
      ]);
      const bootedAt = wallTime(clock, 0);
      return { machines: byName(machines), controllers: byName(controllers), bootedAt };
    });
    this.clients = poll(tuning.clientsMs, async (signal) => {
      const client = await this.client('metadata-server');
      return byName((await client.clients({ signal })).clients);
    });
    this.backups = poll(tuning.backupsMs, async (signal) => {
      const client = await this.client('router-backup');
      return byName((await client.allEquipment({ signal })).equipment);
    });
    this.alerts = poll(tuning.alertsMs, async (signal) => {
      const client = await this.client('alert-to-pubsub');
      const { alerts } = await client.alerts({ signal });
      return alerts.filter(({ status }) => status === 'firing');
    });
    this.delivery = poll(tuning.alertsMs, async (signal) => {
      const client = await this.client('alert-to-pubsub');
      return await client.status({ signal });
    });
    this.probes = new Map(
      askedServices.map((name) => [
        name,
        poll(
          tuning.readyMs,
          (signal) => askReadiness(deps.rack(), name, signal),
          () => {
            this.hurryIfBack(name);
            onChange();
          },
        ),
      ]),
    );
  }

  start(): void {
    for (const poll of this.polls()) poll.start(this.stopping.signal);
    this.following = this.follow().catch(() => undefined);
  }

  /** rack.yaml has changed: their addresses may have, too. */
  hurry(): void {
    for (const poll of this.polls()) poll.hurry();
  }

  views(): Services {
    const { power, clients, backups, alerts, delivery } = this;
    return given({
      cycles: this.cycles,
      power: power.latest,
      clients: clients.latest,
      backups: backups.latest,
      alerts: alerts.latest,
      delivery: delivery.latest,
    });
  }

  states(): ServiceState[] {
    const parts = this.parts();
    return askedServices.map((name) => {
      const { latest: probe, why: unprobed } = this.probes.get(name) ?? {};
      const { latest, why: failed } = parts[name];
      const isAsked = latest === undefined || this.probes.get(name)?.isKnown === true;
      const isKnown = parts[name].isKnown && isAsked;
      const { readiness, version } = probe ?? {};
      const why = failed ?? (readiness === undefined ? unprobed : undefined);
      const facts = {
        name,
        reachable: latest !== undefined,
        ready: readiness?.ready ?? false,
        ...given({ version, why: isKnown ? why : undefined }),
        degraded: readiness?.degraded ?? [],
      };
      return judged(facts, isKnown);
    });
  }

  async stop(): Promise<void> {
    this.stopping.abort(new Error('the service is stopping'));
    await Promise.all([this.following, ...this.polls().map((poll) => poll.ended())]);
  }

  /** What is requested of each service. */
  private parts(): Record<AskedService, Poll<unknown>> {
    return {
      'metadata-server': this.clients,
      'power-cycle-daemon': this.power,
      'router-backup': this.backups,
      'alert-to-pubsub': this.alerts,
    };
  }

  /** Readiness is polled more often than the rest. */
  private hurryIfBack(name: AskedService): void {
    const part = this.parts()[name];
    const isBack = this.probes.get(name)?.latest !== undefined && part.latest === undefined;
    if (isBack) part.hurry();
  }

  private polls(): Poll<unknown>[] {
    const { power, clients, backups, alerts, delivery, probes } = this;
    return [power, clients, backups, alerts, delivery, ...probes.values()];
  }

  /** Cycles, each change as it happens. Each connection begins with the last ones, because some may have been missed. */
  private async follow(): Promise<void> {
    const { signal } = this.stopping;
    const { tuning, emit } = this.deps;
    const note = (item: unknown) => {
      const { data: cycle } = PowerCycle.safeParse(item);
      if (cycle === undefined) return;
      // At the end of the order, so that the oldest one makes room.
      this.cycles.delete(cycle.id);
      this.cycles.set(cycle.id, cycle);
      const [oldest] = this.cycles.keys();
      if (oldest !== undefined && this.cycles.size > mostMissed) this.cycles.delete(oldest);
      emit({ type: 'cycle', cycle });
    };
    const changes = followed({
      connect: async () => {
        const service = 'power-cycle-daemon';
        const options = { timeoutMs, mostBytes };
        const client = await serviceClient(this.deps.rack(), service, cyclesApi, options);
        const { events } = await client.cycleEvents({ signal });
        const { cycles } = await client.cycles({ query: { limit: mostMissed }, signal });
        for (const cycle of cycles.toReversed()) note(cycle);
        return events;
      },
      // `power` shows why the daemon does not respond.
      lost: () => undefined,
      signal,
      pauses: { firstMs: 500, maxMs: tuning.retryMs },
    });
    for await (const { data } of changes) {
      note(data);
      this.power.hurry();
    }
  }

  private client<S extends AskedService>(service: S): Promise<Client<(typeof serviceApis)[S]>> {
    const api = serviceApis[service];
    return serviceClient(this.deps.rack(), service, api, { timeoutMs, mostBytes });
  }
}

function byName<T extends { name: string }>(all: readonly T[]): Map<string, T> {
  return new Map(all.map((each) => [each.name, each]));
}
