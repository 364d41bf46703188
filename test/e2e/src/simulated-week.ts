/**
 * A rack of working agents, by a test clock: the real health assessment of each agent, and the real joining, history and metrics of
 * machine-state, in one process and without sockets. Agents run tasks, reboot their phones after each and are updated every day, and people
 * reboot, power-cycle and quarantine some of them. Some machines have no bot, and one is faulty.
 */
import type { AgentStatus, MachineDowntime, MachineOrder } from '@skolo/api';
import { createLogger, DegradedList } from '@skolo/common';
import { processMetrics } from '@skolo/common/light';
import type { FakeClock } from '@skolo/common/testing';
import { parseRack } from '@skolo/rack';
import type { MachineStateEvent } from '../../../services/machine-state/src/events.ts';
import { downtime } from '../../../services/machine-state/src/history/downtime.ts';
import { History } from '../../../services/machine-state/src/history/history.ts';
import { Recorder } from '../../../services/machine-state/src/history/recorder.ts';
import { Incidents } from '../../../services/machine-state/src/incidents/incidents.ts';
import { Current } from '../../../services/machine-state/src/join/current.ts';
import type {
  AgentView,
  PowerView,
  Services,
} from '../../../services/machine-state/src/join/sources.ts';
import { createMetrics } from '../../../services/machine-state/src/metrics.ts';
import { assess } from '../../../services/swarming-client/src/health/assess.ts';
import type { Health } from '../../../services/swarming-client/src/health/health.ts';
import {
  facts,
  gone,
  phone,
  settings,
} from '../../../services/swarming-client/src/health/testing/facts.ts';
import { healthStatus } from '../../../services/swarming-client/src/status/status.ts';

/** Its phone is missing for 3 minutes after each of its short tasks. */
export const faulty = 'pi-faulty';
/** With `bot: none`, it gets no tasks. */
export function hasNoBot(name: string): boolean {
  return /[13579]7$/.test(name);
}
/** Time between two readings of the agents. */
export const stepSeconds = 10;
const hour = 3600;
const day = 24 * hour;

type Life = 'idle' | 'task' | 'rebooting' | 'stopping' | 'silent' | 'starting' | 'missing';
type Plan = 'update' | 'reboot' | 'cycle' | 'quarantine';

interface Agent {
  name: string;
  life: Life;
  /** The end of this phase, and the due time of each plan, in seconds since boot of the test clock. */
  until: number;
  due: Record<Plan, number>;
  health: Health | undefined;
  status: AgentStatus | undefined;
  silentSince: number | undefined;
  /** When its phone was last seen. */
  seenAt: Date;
  boots: number;
  tasks: number;
}

const periods: Record<Plan, number> = {
  update: day,
  reboot: 2 * day,
  cycle: 3 * day,
  quarantine: 4 * day,
};

export class SimulatedWeek {
  readonly current: Current;
  readonly metrics = processMetrics();
  private readonly clock: FakeClock;
  private readonly history: History;
  private readonly recorder: Recorder;
  private readonly random: () => number;
  private readonly agents: Map<string, Agent>;
  private readonly orders = new Map<string, MachineOrder[]>();
  private readonly cycles = new Map<string, { id: string; step: 'off' }>();

  constructor(
    { clock, stateDir, random }: { clock: FakeClock; stateDir: string; random: () => number },
    size: number,
  ) {
    this.clock = clock;
    this.random = random;
    const names = [faulty, ...Array.from({ length: size - 1 }, (_, i) => `pi-${i}`)];
    this.agents = new Map(names.map((name) => [name, this.newAgent(name)]));
    const machines = names.map(
      (name, i) => `  ${name}: { kind: rpi, address: 10.0.${i >> 7}.${(i & 127) + 1} }\n`,
    );
    const parsed = parseRack(
      `rack: rack4\nnetwork: { subnet: 10.0.0.0/16 }\njumphost: { name: jumphost-rack4, address: 10.0.9.1 }\nmachines:\n${machines.join('')}`,
      { file: 'rack.yaml' },
    );
    const rack = () => parsed;
    const log = createLogger({ service: 'machine-state', level: 'silent' });
    this.history = new History({
      stateDir,
      clock,
      log,
      degraded: new DegradedList({ clock, log }),
      days: () => 90,
      writeEveryMs: 600_000,
      readingsEveryMs: 600_000,
    });
    let consume = (_: MachineStateEvent): void => undefined;
    const emit = (event: MachineStateEvent) => consume(event);
    const services = { views: () => this.services(), states: () => [] };
    const agents = { view: (name: string) => this.view(name) };
    const incidents = new Incidents({ rack, clock, history: this.history, agents });
    this.current = new Current({
      rack,
      clock,
      emit,
      services,
      rackFile: { view: () => ({ loadedAt: '', warnings: [], problems: [], changes: [] }) },
      agents,
      delivery: { active: (name) => this.orders.get(name) ?? [] },
      reported: { unknown: () => [] },
      incidents: () => incidents.shown(),
      cycleRequests: () => [],
    });
    const { history, current } = this;
    const recorder = new Recorder({ rack, clock, history, services, incidents });
    this.recorder = recorder;
    consume = (event) => {
      incidents.consume(event);
      recorder.consume(event);
    };
    createMetrics(this.metrics, {
      rack,
      current,
      history,
      losses: { lastWeek: undefined },
      recorder,
      reported: { notHeard: 0 },
      enrolment: { waiting: () => [] },
    });
  }

  async open(): Promise<void> {
    await this.history.open();
  }

  /** Advances ten seconds. */
  async step(): Promise<void> {
    this.clock.pass(stepSeconds * 1000);
    for (const agent of this.agents.values()) {
      if (agent.until <= this.clock.uptime()) this.goOn(agent);
    }
    if (this.clock.uptime() % 30 < stepSeconds) this.current.tick();
    if (this.clock.uptime() % 60 < stepSeconds) this.recorder.tick();
    this.current.machine(faulty);
    if (this.clock.uptime() % hour < stepSeconds) await this.history.flush();
  }

  /** By machine and code, how long each of an agent's reasons has existed, in seconds. */
  reasons(): { machine: string; code: string; verdict: string; seconds: number }[] {
    return [...this.agents.values()].flatMap(({ name: machine, health }) =>
      (health?.reasons ?? []).map(({ code, verdict, since }) => ({
        machine,
        code,
        verdict,
        seconds: (this.clock.now() - since.getTime()) / 1000,
      })),
    );
  }

  downtime(): Promise<MachineDowntime[]> {
    return downtime(this.history.conditions(0), this.clock.now(), 10);
  }

  async close(): Promise<void> {
    this.current.stop();
    await this.history.close();
  }

  private newAgent(name: string): Agent {
    const now = this.clock.uptime();
    const first = (plan: Plan) => now + this.random() * periods[plan];
    const due = {
      update: first('update'),
      reboot: first('reboot'),
      cycle: first('cycle'),
      quarantine: first('quarantine'),
    };
    return {
      name,
      life: 'starting',
      until: now + 10,
      due,
      boots: 0,
      tasks: 0,
      health: undefined,
      status: undefined,
      silentSince: undefined,
      seenAt: new Date(this.clock.now()),
    };
  }

  private goOn(agent: Agent): void {
    const [life, seconds] = this.next(agent);
    this.enter(agent, life, seconds);
  }

  private next(agent: Agent): [life: Life, seconds: number] {
    const { name, life } = agent;
    const { random } = this;
    switch (life) {
      case 'idle': {
        // The agent learns of an order's end before anything else happens.
        if (this.orders.delete(name)) return ['idle', 20];
        const plan = this.due(agent);
        if (plan === 'update' || plan === 'reboot') return ['stopping', 20];
        if (plan === 'cycle') {
          this.cycles.set(name, { id: `c-${name}`, step: 'off' });
          return ['silent', 90];
        }
        if (plan === 'quarantine') {
          this.quarantine(name);
          return ['idle', 600];
        }
        if (hasNoBot(name)) return ['idle', 600];
        agent.tasks += 1;
        return ['task', name === faulty ? 300 : 300 + random() * 900];
      }
      case 'task':
        // Its update has waited for the task.
        return agent.due.update <= this.clock.uptime()
          ? ['stopping', 20]
          : ['rebooting', 60 + random() * 60];
      case 'stopping':
        agent.due.update = Math.max(agent.due.update, this.clock.uptime() + day);
        return ['silent', 70 + random() * 60];
      case 'silent':
        agent.boots += 1;
        return ['starting', 20];
      case 'starting':
        this.cycles.delete(name);
        return ['idle', 20];
      case 'rebooting':
        return name === faulty ? ['missing', 180] : ['idle', 20];
      case 'missing':
        return ['idle', 20];
    }
  }

  /** The plan that is due. */
  private due({ name, due }: Agent): Plan | undefined {
    const now = this.clock.uptime();
    const plan = (Object.keys(periods) as Plan[]).find((each) => due[each] <= now);
    if (plan === undefined || name === faulty) return undefined;
    due[plan] = now + periods[plan];
    return plan;
  }

  /** Somebody quarantines it for ten minutes, and the agent receives the order immediately. */
  private quarantine(name: string): void {
    const since = new Date(this.clock.now()).toISOString();
    const order = { id: `o-${name}`, kind: 'quarantine' as const, by: 'ann', reason: 'a look' };
    this.orders.set(name, [{ ...order, since, machine: name, deliveredAt: since }]);
  }

  private enter(agent: Agent, life: Life, seconds: number): void {
    const { clock, orders } = this;
    const { name } = agent;
    agent.life = life;
    agent.until = clock.uptime() + seconds;
    agent.silentSince = life === 'silent' ? clock.uptime() : undefined;
    const now = new Date(clock.now());
    if (life !== 'missing') agent.seenAt = now;
    const ordered = (orders.get(name) ?? []).map(({ kind, by = '', reason }) => ({
      kind,
      by,
      reason,
      since: now,
    }));
    agent.health = assess(
      life === 'starting' ? undefined : agent.health,
      facts({
        now,
        orders: ordered,
        stopping: life === 'stopping',
        devices: [deviceIn(life, agent.seenAt)],
        rebooting: new Map(life === 'rebooting' ? [['phone', now]] : []),
      }),
      settings,
    );
    if (life !== 'silent') {
      agent.status = {
        machine: name,
        bootId: `${agent.boots}`,
        devices: [],
        health: healthStatus(agent.health),
        ...(hasNoBot(name) && {
          bot: { state: 'none', since: now.toISOString(), healthy: false, starts: 0 },
        }),
        task:
          life === 'task' ? { running: true, id: `${name}-${agent.tasks}` } : { running: false },
      };
    }
    this.current.touch(name);
  }

  private view(name: string): AgentView {
    const agent = this.agents.get(name);
    if (agent === undefined) throw new Error(`no agent ${name}`);
    const { clock } = this;
    const { status, silentSince } = agent;
    const silentSeconds = silentSince === undefined ? 0 : clock.uptime() - silentSince;
    if (status === undefined) return { silentSeconds };
    return { silentSeconds, seenAt: clock.now() - silentSeconds * 1000, status };
  }

  private services(): Services {
    const machines: PowerView['machines'] = new Map(
      [...this.cycles].map(([name, cycle]) => [
        name,
        {
          name,
          kind: 'machine',
          outlets: [],
          controllers: [],
          cycle: { ...cycle, action: 'cycle', detail: '' },
        },
      ]),
    );
    return { power: { machines, controllers: new Map() }, alerts: [] };
  }
}

function deviceIn(life: Life, since: Date) {
  if (life === 'rebooting' || life === 'missing') return { ...gone(), since };
  return life === 'starting' ? phone({}, { state: 'unknown' }) : phone({ batteryPercent: 80 });
}
