/** The machines of a rack fall silent and return, in simulated time: everything that decides about them is real, and so is the history. */
import type {
  AgentStatus,
  ControllerStatus,
  Machine,
  MachineOrder,
  MachinePower,
} from '@skolo/api';
import { tempDir } from '@skolo/base/testing';
import { wallTime } from '@skolo/common';
import { type FakeClock, fakeClock } from '@skolo/common/testing';
import type { Rack } from '@skolo/rack';
import type { MachineStateEvent } from '../events.ts';
import { Recorder } from '../history/recorder.ts';
import { Incidents } from '../incidents/incidents.ts';
import { incidentReport, listIncidents } from '../incidents/report.ts';
import { sharedSilenceSeconds } from '../join/condition.ts';
import { Current } from '../join/current.ts';
import type { AgentView } from '../join/sources.ts';
import { okHealth } from './fake-agent.ts';
import { newHistory } from './history.ts';

type Process = Awaited<ReturnType<typeof startProcess>>;

interface World {
  clock: FakeClock;
  rack(): Rack;
  orders(): readonly MachineOrder[];
  stateDir: string;
  /** Since when machines have not responded, as uptime in seconds. */
  silent: Map<string, number>;
  controllers: Map<string, ControllerStatus>;
  power: Map<string, MachinePower>;
  status(machine: string): AgentStatus;
  why: Map<string, string>;
  /** By switch: ports with a link. */
  links: Map<string, Map<string, boolean>>;
}

export async function startOutageLab(rack: Rack) {
  let file = rack;
  let orders: MachineOrder[] = [];
  const silent = new Map<string, number>();
  const told = new Map<string, Partial<AgentStatus>>();
  const world: World = {
    clock: fakeClock('2026-11-20T02:00:00Z'),
    rack: () => file,
    orders: () => orders,
    stateDir: await tempDir(),
    silent,
    controllers: new Map(),
    power: new Map(),
    why: new Map(),
    links: new Map(),
    status: (machine) => ({
      ...{ machine, task: { running: false }, devices: [], health: okHealth, bootId: 'first' },
      ...told.get(machine),
    }),
  };
  const { clock } = world;
  let running: Process = await startProcess(world);

  function pass(seconds: number): void {
    for (let passed = 0; passed < seconds; passed += 1) {
      clock.pass(1000);
      running.step();
    }
  }

  return {
    ...{ clock, pass, world, rack },
    /** Another rack.yaml. */
    edit(next: Rack) {
      file = next;
      running.step();
    },
    /** Maintenance of these machines, and of no others. */
    order(names: readonly string[], reason = 'a new fan') {
      const since = new Date(clock.now()).toISOString();
      orders = names.map((machine) => {
        return { id: machine, machine, kind: 'maintenance', by: 'ann', reason, since };
      });
      running.step();
    },
    /** They stop responding. */
    fall(names: Iterable<string>) {
      for (const name of names) silent.set(name, clock.uptime());
    },
    /** They respond again. */
    answer(names: Iterable<string>) {
      for (const name of names) silent.delete(name);
      running.step();
    },
    tell(machine: string, status: Partial<AgentStatus>) {
      told.set(machine, { ...told.get(machine), ...status });
      running.current.touch(machine);
      running.step();
    },
    /** From now on, also if it is asked again. */
    see(name: string, state: ControllerStatus['state']) {
      const known = { name, model: 'apc-rpdu', level: 'switched', queue: 0, state } as const;
      const since = new Date(clock.now()).toISOString();
      world.controllers.set(name, {
        ...{ ...known, since },
        get lastContact() {
          return state === 'up' ? new Date(clock.now()).toISOString() : since;
        },
      });
      running.current.touch();
    },
    ...reading(() => running),
    /** The next process knows only what was written. @param downMs meanwhile @param next rack.yaml since then */
    async restart(downMs = 0, next = file) {
      await running.stop();
      clock.pass(downMs);
      file = next;
      running = await startProcess(world);
      running.step();
    },
  };
}

/** What the running process tells. */
function reading(running: () => Process) {
  return {
    machine: (name: string): Machine | undefined => running().current.machine(name),
    rackView: () => running().current.rack(),
    /** Newest first. */
    async list() {
      const span = { since: '2026-01-01T00:00:00Z', until: '2027-01-01T00:00:00Z', limit: 1000 };
      return await listIncidents(running().deps, span);
    },
    /** @param timeline is told the period, and returns what others did in it */
    async report(id: string, timeline?: Parameters<typeof incidentReport>[2]) {
      const nothing = {
        ...{ rack: 'rack4', since: '', until: '', rows: [], truncated: false, unhealthy: [] },
        ...{ worse: { count: 0, where: '' }, better: { count: 0, where: '' }, missing: [] },
        omitsAudit: true,
      };
      return await incidentReport(running().deps, { id }, timeline ?? (async () => nothing));
    },
    /** As `kill -9` right after a write. */
    flush: () => running().history.flush(),
    history: () => running().history,
  };
}

async function startProcess(world: World) {
  const { clock, rack, silent, stateDir } = world;
  const limits = () => rack().services['machine-state'];
  const heard = new Set<string>();
  let consume = (_: MachineStateEvent): void => undefined;
  const views = () => ({
    power: { machines: world.power, controllers: world.controllers },
    alerts: [],
  });
  const services = { views, states: () => [] };
  const started = clock.uptime();
  const agents = {
    view(name: string): AgentView {
      const since = silent.get(name);
      if (since === undefined) heard.add(name);
      const isHeard = heard.has(name);
      const at = since ?? clock.uptime();
      const limit = sharedSilenceSeconds(limits());
      const why = world.why.get(name) ?? 'connection timed out';
      return {
        ...(isHeard && { status: world.status(name), seenAt: wallTime(clock, at) }),
        ...(since !== undefined && { why }),
        silentSeconds: clock.presence.ageOf(isHeard ? at : Math.max(at, started), limit),
      };
    },
  };
  const history = newHistory({ stateDir, clock });
  const incidents = new Incidents({ rack, clock, history, agents });
  const current = new Current({
    rack,
    clock,
    agents,
    emit: (event) => consume(event),
    rackFile: { view: () => ({ loadedAt: '', warnings: [], problems: [], changes: [] }) },
    services,
    delivery: {
      active: (name) => world.orders().filter(({ machine }) => machine === name),
    },
    reported: { unknown: () => [] },
    incidents: () => incidents.shown(),
    cycleRequests: () => [],
  });
  const recorder = new Recorder({ rack, clock, history, services, incidents });
  const recalled = await history.open();
  for (const part of [current, recorder]) part.recall(recalled.standings);
  incidents.recall(recalled.silences);
  consume = (event) => {
    incidents.consume(event);
    recorder.consume(event);
  };
  return {
    ...{ current, history },
    deps: {
      ...{ rack, clock, history, incidents, current, agents, services },
      links: { of: async () => world.links },
    },
    step() {
      current.touch();
      for (const part of [current, incidents, recorder, history]) void part.tick();
      current.machines();
    },
    async stop() {
      current.stop();
      await history.close();
    },
  };
}
