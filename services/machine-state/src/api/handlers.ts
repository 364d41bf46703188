/** Handlers of the HTTP API: machines, orders, and requests that are passed on to an agent. */
import {
  ApiError,
  ApiUnreachable,
  type Client,
  type machineStateApi,
  type swarmingClientApi,
} from '@skolo/api';
import { matching } from '@skolo/api/machine-filter';
import { errorText } from '@skolo/base';
import {
  type AuditLog,
  HttpProblem,
  type RepeatableRequest,
  type Repetitions,
  type RouteHandlers,
} from '@skolo/common';
import { didYouMean, type Rack, whyNotActing } from '@skolo/rack';
import { agentClient } from '../collect/agent-client.ts';
import type { Agents } from '../collect/agents.ts';
import type { Links } from '../collect/links.ts';
import type { OtherServices } from '../collect/services.ts';
import { downtime } from '../history/downtime.ts';
import type { History } from '../history/history.ts';
import type { Recorder } from '../history/recorder.ts';
import { spanOf, timeline } from '../history/timeline.ts';
import type { Incidents } from '../incidents/incidents.ts';
import { incidentReport, listIncidents } from '../incidents/report.ts';
import type { Current } from '../join/current.ts';
import type { Delivery } from '../orders/delivery.ts';
import type { Orders } from '../orders/orders.ts';
import type { PartDeps } from '../part-deps.ts';
import { written } from '../records.ts';
import { rackTimeline } from '../timeline/timeline.ts';
import type { Changes } from './changes.ts';

interface ApiDeps extends Pick<PartDeps, 'rack' | 'clock' | 'records'> {
  audit: Pick<AuditLog, 'read'>;
  current: Current;
  changes: Changes;
  history: History;
  incidents: Pick<Incidents, 'known'>;
  agents: Pick<Agents, 'view'>;
  services: Pick<OtherServices, 'views'>;
  links: Pick<Links, 'of'>;
  recorder: Pick<Recorder, 'catchUp'>;
  orders: Orders;
  delivery: Pick<Delivery, 'shown'>;
  repetitions: Repetitions<string[]>;
}

const dayMs = 86_400_000;
/** An agent keeps 256 kB of text, of which a task may choose each character. */
const mostLogBytes = 4 * 1024 * 1024;
/** A PNG of several megabytes, which is passed on; the agent keeps none that is larger. */
const mostScreenBytes = 16 * 1024 * 1024;

type Handlers = RouteHandlers<typeof machineStateApi>;

export function apiHandlers(deps: ApiDeps): Handlers {
  return { ...readHandlers(deps), ...orderHandlers(deps), ...agentHandlers(deps) };
}

/** The known state. */
function readHandlers(
  deps: ApiDeps,
): Pick<
  Handlers,
  | ('machines' | 'machine' | 'rack' | 'changes' | 'history' | 'curves' | 'downtime')
  | ('timeline' | 'incidents' | 'incident')
> {
  const { rack, clock, current, changes, history, recorder, orders } = deps;
  return {
    machines: ({ query }) => ({
      status: 200,
      body: { machines: matching(current.machines(), query) },
    }),
    machine({ params: { name } }) {
      const found = current.machine(name);
      if (found === undefined) throw unknownMachine(rack(), name);
      return { status: 200, body: found };
    },
    rack: () => ({ status: 200, body: current.rack() }),
    changes: ({ headers }) => ({ status: 200, follow: changes.follow(headers['last-event-id']) }),
    async history({ params: { name }, query }) {
      await checkKnown({ rack, history }, name);
      recorder.catchUp(name);
      const span = spanOf(query, clock);
      return { status: 200, body: await timeline({ history, orders }, name, span, query) };
    },
    async curves({ params: { name }, query }) {
      await checkKnown({ rack, history }, name);
      return { status: 200, body: { curves: await history.curves(name, spanOf(query, clock)) } };
    },
    async downtime({ query: { days, limit } }) {
      const now = clock.now();
      const machines = await downtime(history.conditions(now - days * dayMs), now, limit);
      return { status: 200, body: { machines } };
    },
    timeline: async ({ query, caller, headers: { authorization } }) => ({
      status: 200,
      body: await rackTimeline(deps, { ...query, caller, authorization }),
    }),
    incidents: async ({ query }) => ({ status: 200, body: await listIncidents(deps, query) }),
    async incident({ params: { id }, query, caller, headers: { authorization } }) {
      const timeline = (span: { since: string; until: string }) =>
        rackTimeline(deps, { ...span, caller, authorization });
      return {
        status: 200,
        body: await incidentReport(deps, { id, since: query.since, until: query.until }, timeline),
      };
    },
  };
}

/** Orders and notes by people. */
function orderHandlers({
  orders,
  delivery,
}: ApiDeps): Pick<Handlers, 'addNote' | 'order' | 'endOrder'> {
  return {
    async addNote({ body, caller, headers }) {
      await orders.addNote(body.machines, body.text, caller.name, headers['idempotency-key']);
      return { status: 201 };
    },
    async order({ body, caller, headers }) {
      const placed = await orders.place(body, caller.name, headers['idempotency-key']);
      return { status: 201, body: { orders: placed.map((order) => delivery.shown(order)) } };
    },
    endOrder: async ({ params: { id }, caller }) => ({
      status: 200,
      body: delivery.shown(await orders.end(id, caller.name)),
    }),
  };
}

/** What people request of an agent. */
function agentHandlers({
  rack,
  current,
  records,
  repetitions,
}: ApiDeps): Pick<Handlers, 'log' | 'screen' | 'clear' | 'repair' | 'reboot'> {
  /** An agent may have received a request without answering: only then, and if nothing has happened since, a retry requests again. */
  async function once(
    request: RepeatableRequest,
    { state, ask }: { state(): string; ask(): Promise<unknown> },
  ): Promise<void> {
    await repetitions.once(request, async ([before, answered] = [], remember) => {
      if (answered !== undefined || (before !== undefined && before !== state())) return;
      const keep = async (...result: string[]) => {
        const changes = remember(result);
        if (changes.length > 0) await written(records.tables, changes);
      };
      await keep(state());
      await ask();
      await keep(state(), 'answered');
    });
  }

  return {
    async log({ params: { name }, query }) {
      checkPresent(rack(), name);
      const asked = { query, mostBytes: mostLogBytes };
      return { status: 200, body: await askAgent(rack(), name, (agent) => agent.log(asked)) };
    },
    async screen({ params: { name }, body }) {
      checkPresent(rack(), name);
      const asked = { body, mostBytes: mostScreenBytes };
      const { bytes, headers } = await askAgent(rack(), name, (agent) => agent.screen(asked));
      const taken = headers.get('last-modified');
      return {
        status: 200,
        body: bytes,
        // Screens may show unreleased software: no cache may keep them.
        headers: { 'cache-control': 'no-store', ...(taken !== null && { 'last-modified': taken }) },
      };
    },
    async clear({ params: { name }, body: { reason }, caller }) {
      checkPresent(rack(), name);
      const why = signed(reason, caller.name);
      const ask = () => askAgent(rack(), name, (agent) => agent.clearQuarantine({ body: { why } }));
      return { status: 200, body: await ask() };
    },
    async repair({ params: { name }, body: { device, step, reason }, caller, headers }) {
      checkActs(rack(), name);
      const why = signed(reason, caller.name);
      const key = headers['idempotency-key'];
      const last = () => current.machine(name)?.repairs.findLast((each) => each.step === step);
      await once(
        { key, by: caller.name, content: ['repair', name, device, step, reason] },
        {
          state: () => last()?.at ?? '',
          ask: () =>
            askAgent(rack(), name, (agent) => agent.repair({ body: { device, step, why } })),
        },
      );
      return { status: 202 };
    },
    async reboot({ params: { name }, body: { reason }, caller, headers }) {
      checkActs(rack(), name);
      const why = signed(reason, caller.name);
      const key = headers['idempotency-key'];
      await once(
        { key, by: caller.name, content: ['reboot', name, reason] },
        {
          state: () => current.machine(name)?.bootId ?? '',
          ask: () => askAgent(rack(), name, (agent) => agent.reboot({ body: { why } })),
        },
      );
      return { status: 202 };
    },
  };
}

/** For the agent's audit log, which only sees this service. */
function signed(reason: string, by: string): string {
  return `${reason} (${by})`.slice(0, 1000);
}

/** The history also contains machines that have left rack.yaml. @throws HttpProblem 404 */
async function checkKnown({ rack, history }: Pick<ApiDeps, 'rack' | 'history'>, name: string) {
  if (rack().machines.has(name) || (await history.isKnown(name))) return;
  throw unknownMachine(rack(), name);
}

/** @throws HttpProblem 404 */
function checkPresent(rack: Rack, name: string): void {
  if (!rack.machines.has(name)) throw unknownMachine(rack, name);
}

/** @throws HttpProblem 404; 409: skolo only observes it. */
function checkActs(rack: Rack, name: string): void {
  checkPresent(rack, name);
  const why = whyNotActing(rack, rack.machines.get(name));
  if (why !== undefined) throw new HttpProblem(409, `${name}: ${why}`);
}

function unknownMachine(rack: Rack, name: string): HttpProblem {
  const hint = didYouMean(name, rack.machines.keys());
  return new HttpProblem(404, `rack.yaml has no machine ${name}${hint}`);
}

/** Rejections that the agent explains itself. */
const passed: ReadonlySet<number> = new Set([404, 409, 501]);

/** @throws HttpProblem 404, 409 from the agent; 501 it is older; 503 it does not respond, or rejects this service. */
async function askAgent<T>(
  rack: Rack,
  machine: string,
  ask: (agent: Client<typeof swarmingClientApi>) => Promise<T>,
): Promise<T> {
  try {
    return await ask(await agentClient(rack, machine));
  } catch (error) {
    if (error instanceof ApiError) {
      const detail = `the agent on ${machine}: ${error.problem.detail.slice(0, 1000)}`;
      throw new HttpProblem(passed.has(error.status) ? error.status : 503, detail, {
        cause: error,
      });
    }
    const isUnclear = error instanceof ApiUnreachable && error.mayHaveArrived;
    const why = error instanceof ApiUnreachable ? error.why : errorText(error);
    const detail = isUnclear
      ? `the agent on ${machine} may have received the request, but did not respond: ${why}; repeat the request with the same Idempotency-Key, or check the result with skolo machine list --agents ${machine}`
      : `the agent on ${machine} could not be reached: ${why}`;
    throw new HttpProblem(503, detail, { cause: error });
  }
}
