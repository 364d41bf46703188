/** Readings that hang, fail or say nothing while an outlet is off: power comes back in time all the same, and nothing turns it off again. */
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { pause } from '@skolo/base';
import type { Change } from '@skolo/base/durable';
import { listen, runs } from '@skolo/base/testing';
import { createLogger, systemClock } from '@skolo/common';
import { noCrashNotes } from '@skolo/common/testing/no-crash-notes';
import { loadDrivers } from '@skolo/equipment/models/load';
import type { DriverKind, OutletReading, PowerDriver } from '@skolo/equipment/models/outlets';
import { proofsWith } from '@skolo/equipment/models/proofs/testing';
import { DeviceRejected, DeviceUnreachable, HostKeys } from '@skolo/equipment/transports';
import { parseRack } from '@skolo/rack';
import fc from 'fast-check';
import { expect, it, vi } from 'vitest';
import { Controllers } from '../equipment/controllers.ts';
import { usualTiming } from '../equipment/timing.ts';
import { PendingOns } from '../keep/pending-ons.ts';
import { CircuitBreaker } from '../rules/circuit-breaker.ts';
import { PastCycles } from '../rules/past-cycles.ts';
import { findTarget } from '../rules/targets.ts';
import type { CycleRecord } from '../state/records.ts';
import { Store } from '../state/store.ts';
import { rackYaml, startDaemon } from '../testing/daemon.ts';
import { cycleRecord } from '../testing/records.ts';
import { simulateTime } from '../testing/simulated-time.ts';
import { Cycles } from './cycles.ts';

const drivers = await loadDrivers();
/** An outlet of each model, and the model's keys in rack.yaml. */
const entries = new Map(
  proofsWith('answering').map(({ model, proof }) => [model, proof.answering[0]] as const),
);
const names = [...entries.keys()];

/** What becomes of a reading. */
type Fate = 'answers' | 'hangs' | 'is rejected' | 'is garbage' | 'is cut';

interface Plan {
  model: string;
  offSeconds: number;
  /** Of readings that begin while it is off, in order; the last one also of all that follow, even when it is on again. */
  fates: readonly Fate[];
  /** How long a sign-in takes; none: each request is independent. */
  signInMs: number;
  /** How long the device takes for what it answers. */
  answerMs: number;
  /** A reading by somebody else begins so long before the power is due. */
  othersMs: number;
}

/** A device that obeys at once, and its log. Times of `performance.now()`. */
class Device {
  readonly told: { at: number; verb: 'off' | 'on' | 'cycle' }[] = [];
  readonly saidOff: number[] = [];
  saidOn: number | undefined;
  private readonly plan: Plan;
  private state: 'on' | 'off';
  private hasBeenOff: boolean;
  private reads = 0;
  private signedInUntil = Number.NEGATIVE_INFINITY;

  constructor(plan: Plan, isOn: boolean) {
    this.plan = plan;
    this.state = isOn ? 'on' : 'off';
    this.hasBeenOff = !isOn;
  }

  driver(own: PowerDriver): PowerDriver {
    const { nativeCycle, readsAtOnce } = own;
    return {
      ...(readsAtOnce !== undefined && { readsAtOnce }),
      read: (outlets, signal) =>
        this.inSession(signal, async () => {
          const { hasBeenOff: isAfter } = this;
          const { fates } = this.plan;
          const fate = isAfter ? (fates[this.reads] ?? fates.at(-1)) : 'answers';
          if (isAfter) this.reads += 1;
          if (fate === 'hangs') await pause(3_600_000, signal);
          await pause(this.plan.answerMs, signal);
          if (fate === 'is rejected') throw new DeviceRejected('device', 'no such thing');
          if (fate === 'is cut') throw new DeviceUnreachable('device', 'the connection died');
          const state = fate === 'is garbage' ? 'unknown' : this.state;
          if (isAfter && state === 'off') this.saidOff.push(performance.now());
          if (isAfter && state === 'on') this.saidOn ??= performance.now();
          return new Map(outlets.map((outlet): [string, OutletReading] => [outlet, { state }]));
        }),
      turnOff: (_outlet, signal) => this.tell('off', signal),
      turnOn: (_outlet, _how, signal) => this.tell('on', signal),
      ...(nativeCycle && {
        nativeCycle: {
          offSeconds: nativeCycle.offSeconds,
          run: async (_outlet, _offSeconds, signal) => {
            await this.tell('cycle', signal);
            setTimeout(() => {
              this.state = 'on';
            }, this.plan.offSeconds * 1000);
          },
        },
      }),
      close: async () => undefined,
    };
  }

  private tell(verb: 'off' | 'on' | 'cycle', signal: AbortSignal): Promise<void> {
    return this.inSession(signal, async () => {
      await pause(this.plan.answerMs, signal);
      this.state = verb === 'on' ? 'on' : 'off';
      this.hasBeenOff = true;
      this.told.push({ at: performance.now(), verb });
    });
  }

  /** As with the pool: it is kept for 2 s, unless the work in it fails. */
  private async inSession<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const isKept = performance.now() < this.signedInUntil;
    this.signedInUntil = Number.NEGATIVE_INFINITY;
    if (!isKept) await pause(this.plan.signInMs, signal);
    const result = await work();
    this.signedInUntil = performance.now() + 2000;
    return result;
  }
}

/** The disk has no say here. */
class MemoryStore extends Store {
  override async write(changes: readonly Change[]): Promise<void> {
    await this.writeLater(changes);
  }
}

/** The daemon's own parts between a request and the driver, in memory, with simulated time. */
async function run(plan: Plan, action: 'cycle' | 'on') {
  const endTime = simulateTime();
  const { model, offSeconds } = plan;
  const { outlet, options } = entries.get(model) ?? { outlet: '' };
  const entry = JSON.stringify({ model, address: '127.0.2.1', ...options });
  const rack = parseRack(
    rackYaml(`equipment: { device: ${entry} }
machines: { a: { kind: host, power: 'device/${outlet}' } }`),
    { file: '/rack.yaml' },
  );
  const device = new Device(plan, action === 'cycle');
  const known = drivers.get(model);
  if (known === undefined) throw new RangeError(model);
  const kind: DriverKind = {
    ...known,
    create: (own, deps) => device.driver(known.create(own, deps)),
  };
  const stopping = new AbortController();
  const { signal } = stopping;
  const { presence } = systemClock;
  const clock = { now: () => Date.now(), uptime: () => performance.now() / 1000, presence };
  const store = new MemoryStore({
    journal: () => undefined,
    onTrouble: () => undefined,
    onWell: () => undefined,
  });
  const hostKeys = new HostKeys('/nowhere/host-keys.json');
  const common = { rack: () => rack, clock, emit: () => undefined };
  const controllers = new Controllers({
    ...common,
    drivers: new Map([[model, kind]]),
    hostKeys,
    createUsbHub: () => {
      throw new TypeError('no machine has a hub');
    },
    unfinished: () => [],
    maySwitch: () => undefined,
    crashNotes: noCrashNotes,
  });
  const timing = usualTiming;
  const parts = { store, controllers, timing, signal };
  const pendingOns = new PendingOns({ ...common, ...parts, staggerSeconds: () => 0 });
  const breaker = new CircuitBreaker({ clock, store });
  const past = new PastCycles(clock);
  const cycles = new Cycles({
    ...common,
    ...parts,
    pendingOns,
    breaker,
    hostKeys,
    suppliedWatts: () => undefined,
    log: createLogger({
      service: 'power-cycle-daemon',
      level: 'silent',
      destination: { write: () => undefined },
    }),
    snapshot: () => ({
      rack,
      now: clock.now(),
      uptime: clock.uptime(),
      holds: [],
      switchedOff: store.switchedOff.all,
      pendingOns: store.pendingOns.all,
      descriptions: store.descriptions.all,
      failing: breaker.failing(),
      active: store.active(),
      past: past.list(),
      cyclesNatively: () => false,
    }),
  });
  const feeds = (findTarget(rack, 'a')?.feeds ?? []).map((feed) => ({
    controller: feed.device,
    outlet: feed.outlet,
  }));
  const record: CycleRecord = cycleRecord({ action, mode: 'hard', offSeconds, feeds });
  await store.writeLater([store.cycles.put(record)]);
  cycles.add(record.id);
  const controller = controllers.get('device');
  const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
  async function end() {
    stopping.abort(new Error('the daemon stops'));
    await Promise.all([controllers.close(), pass(1000)]);
    endTime();
  }
  return { device, controller, outlet, pass, end };
}

const anyFate = fc.constantFrom<Fate>('answers', 'hangs', 'is rejected', 'is garbage', 'is cut');

function anyPlan(model: string): fc.Arbitrary<Plan> {
  const isSession = ['cisco-ios', 'edgeos', 'edgeswitch', 'mpower', 'openwrt', 'unifi-switch'];
  return fc.record({
    model: fc.constant(model),
    offSeconds: fc.constantFrom(1, 2, 5, 10, 30),
    fates: fc.array(anyFate, { minLength: 1, maxLength: 5 }),
    signInMs: isSession.includes(model) ? fc.constantFrom(300, 2000, 4000) : fc.constant(0),
    answerMs: fc.constantFrom(1, 40, 200),
    othersMs: fc.constantFrom(0, 100, 600),
  });
}

it.each(names)('%s is on again in time, and nothing follows', async (model) => {
  await fc.assert(
    fc.asyncProperty(anyPlan(model), async (plan) => {
      const offMs = plan.offSeconds * 1000;
      const { device, controller, outlet, pass, end } = await run(plan, 'cycle');
      for (let tries = 0; tries < 300 && device.told.length === 0; tries += 1) await pass(100);
      const off = device.told[0]?.at ?? Number.NaN;
      await pass(Math.max(0, off + offMs - plan.othersMs - performance.now()));
      void controller?.read([outlet]).catch(() => undefined);
      await pass(120_000);
      await end();

      const [first, ...later] = device.told;
      // Step by step, it has its time from when it was seen off.
      const seenOff = first?.verb === 'off' ? device.saidOff.filter((at) => at <= off + offMs) : [];
      const due = (seenOff[0] ?? off) + offMs;
      const never = Number.POSITIVE_INFINITY;
      const restored = Math.min(later[0]?.at ?? never, device.saidOn ?? never);
      expect(later.map(({ verb }) => verb)).toEqual(later.map(() => 'on'));
      expect(restored).toBeGreaterThanOrEqual(off + offMs);
      // A device that cycles itself has its power back when it is due. What is measured is the command in case it has not.
      const commandMs = first?.verb === 'cycle' ? plan.answerMs : 0;
      expect(restored - due).toBeLessThanOrEqual(plan.signInMs + 1000 + commandMs);
    }),
    runs(40),
  );
});

it.each(names)('%s is turned on by a request, whatever it reads', async (model) => {
  await fc.assert(
    fc.asyncProperty(anyPlan(model), async (plan) => {
      const { device, controller, pass, end } = await run(plan, 'on');
      await pass(2 * (controller?.lookMs ?? 0) + plan.signInMs + 1000);
      const inTime = device.told.length;
      await pass(120_000);
      await end();

      expect(inTime).toBeGreaterThan(0);
      expect(device.told.map(({ verb }) => verb)).toEqual(device.told.map(() => 'on'));
    }),
    runs(10),
  );
});

it('a BMC that never answers while the system is off is told once to turn it off, and on', async () => {
  let isOn = true;
  const told: string[] = [];
  const bmc = createServer(async (incoming, response) => {
    const body = await text(incoming);
    if (incoming.method === 'POST') {
      told.push(body);
      isOn = body.includes('"On"');
      response.writeHead(204).end();
    } else if (isOn) response.end(JSON.stringify({ Id: '1', PowerState: 'On' }));
  });
  const port = await listen(bmc);
  const daemon = await startDaemon({
    yaml: `equipment: { bmc-1: { model: redfish, https: false, address: 127.0.0.1, ports: { http: ${port} } } }
machines: { a: { kind: host, power: bmc-1/1, offSeconds: 0.5 } }`,
    drivers,
  });

  const cycle = await daemon.finished(await daemon.request('a', { offSeconds: 0.5 }));

  expect(told).toEqual(['{"ResetType":"ForceOff"}', '{"ResetType":"On"}']);
  expect(cycle).toMatchObject({
    outcome: 'failed',
    failedStep: 'turn-off',
    detail: 'bmc-1/1: no reading in time; the outlet was never reported as off',
  });
});
