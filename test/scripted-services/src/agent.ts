/** An agent without a machine: its status with the long poll, and what people order, signed with the rack's key. */
import { EventEmitter, once } from 'node:events';
import type { RequestListener } from 'node:http';
import type { AgentStatus, HealthStatus, Order } from '@skolo/api';
import { parseAgentPublicKey } from '@skolo/base/secrets';
import { type Access, Challenges, HttpProblem, systemClock, unsigned } from '@skolo/common/light';
import { type Answers, type ApiOf, asIs, type Scripted, startScripted } from './service.ts';

type AgentAnswers = Answers<ApiOf<'swarming-client'>>;

export interface ScriptedAgent
  extends Pick<Scripted<'swarming-client'>, 'url' | 'calls' | 'requests' | 'close'> {
  status: AgentStatus;
  /** Changes the status, and answers waiting requests. */
  set(change: Partial<AgentStatus>): void;
  /** Without a new revision, as for readings. */
  read(change: Partial<AgentStatus>): void;
  /** Another start: another revision, and no orders if it has lost its disk. */
  restart(change?: Partial<AgentStatus>): void;
  /** Answers like this from now on; undefined: like an agent. */
  answerAs(listener: RequestListener | undefined): void;
}

export interface AgentOptions {
  /** Of `access.agents`. */
  publicKey: string;
  rack?: string;
  status?: Partial<AgentStatus>;
  /** Its status at each moment; default: as it was set. */
  now?: () => AgentStatus;
  log?: AgentAnswers['log'];
}

export const okHealth: HealthStatus = {
  verdict: 'ok',
  since: '2026-11-20T10:00:00Z',
  reasons: [],
};

export async function startAgent(machine: string, options: AgentOptions): Promise<ScriptedAgent> {
  const { publicKey, rack = 'rack4', log = { lines: [] } } = options;
  const changes = new EventEmitter().setMaxListeners(0);
  let [starts, count] = [1, 1];
  const idle = { machine, task: { running: false }, devices: [], health: okHealth, orders: [] };
  const status: AgentStatus = { ...idle, ...options.status };
  const agent = {
    status,
    set(change: Partial<AgentStatus>) {
      agent.read(change);
      count += 1;
      changes.emit('change');
    },
    read(change: Partial<AgentStatus>) {
      agent.status = { ...agent.status, ...change };
    },
    restart(change: Partial<AgentStatus> = {}) {
      starts += 1;
      agent.set(change);
    },
  };
  const { now = () => agent.status } = options;
  const revision = () => `${starts}-${count}`;
  const own: AgentAnswers = {
    status: async ({ query: { after, waitSeconds }, hungUp }) => {
      const signal = AbortSignal.any([hungUp, AbortSignal.timeout(waitSeconds * 1000)]);
      if (after === revision()) await once(changes, 'change', { signal }).catch(() => undefined);
      // The agents of machines that were taken over do not keep to the schema.
      return asIs({ ...now(), revision: revision() });
    },
    setOrders({ body: { orders } }) {
      const health = healthOf(orders);
      agent.set({ orders, health });
      return health;
    },
    log,
    ...careAnswers(now),
  };
  const access = signedWith({ rack, machine, key: parseAgentPublicKey(publicKey) });
  const scripted = await startScripted('swarming-client', own, { access });
  return Object.assign(agent, {
    url: scripted.url,
    calls: scripted.calls,
    requests: scripted.requests,
    close: scripted.close,
    answerAs(listener: RequestListener | undefined) {
      scripted.instead = listener;
      changes.emit('change');
    },
  });
}

function careAnswers(status: () => AgentStatus): AgentAnswers {
  /** @throws HttpProblem 409 */
  function start() {
    const { running, id } = status().task;
    const which = id === undefined ? 'a task' : `task ${id}`;
    if (running) throw new HttpProblem(409, `${which} is running; try again when it has ended`);
    return { status: 202 } as const;
  }
  return {
    screen: { status: 200, type: 'image/png', body: 'PNG' },
    clearQuarantine() {
      const { health = okHealth } = status();
      const reasons = health.reasons.filter(({ code }) => code !== 'needs-attention');
      return { ...health, reasons };
    },
    repair: start,
    reboot: start,
  };
}

function healthOf(orders: readonly Order[]): HealthStatus {
  const kinds = orders.map(({ kind }) => kind);
  const verdict = kinds.includes('quarantine')
    ? 'quarantined'
    : kinds.includes('maintenance')
      ? 'maintenance'
      : 'ok';
  const reasons = orders.map(({ kind, reason, since }) => ({
    verdict: kind === 'quarantine' ? ('quarantined' as const) : kind,
    code: 'order',
    text: reason,
    since,
  }));
  return { verdict, since: new Date().toISOString(), reasons };
}

/** Like the agent's, with everybody in `access.anonymousRead`. */
function signedWith(receiver: Parameters<Challenges['verify']>[1]): Access {
  const challenges = new Challenges(systemClock);
  return {
    headers: () => challenges.headers(),
    admit(request, role) {
      if (request.headers['signature-input'] !== undefined) {
        const digest = challenges.verify(request, receiver);
        return { name: 'access.agents', role: 'operate', by: 'signature', digest };
      }
      if (role === 'view') return { name: 'anonymous', role, by: 'network' };
      throw unsigned('sign the request with the key of access.agents');
    },
  };
}
