/** Enrolment, wired. */
import type { enrolmentsApi, WaitingPi } from '@skolo/api';
import {
  HttpProblem,
  type RouteHandlers,
  type ServiceContext,
  type StateJournal,
} from '@skolo/common';
import type { Agents } from '../collect/agents.ts';
import type { Records } from '../records.ts';
import { Cluster } from './cluster.ts';
import { enrolmentPort } from './endpoint.ts';
import { Enrolment } from './enrolment.ts';
import { Lockdown } from './lockdown.ts';

interface EnrolmentParts {
  journal: Pick<StateJournal, 'isOpen'>;
  records: Records;
  agents: Pick<Agents, 'isAlive'>;
  retryMs: number;
}

interface OpenEnrolment {
  /** `enrolmentsApi`, to be added to the app's routes. */
  handlers: RouteHandlers<typeof enrolmentsApi>;
  waiting(): readonly WaitingPi[];
  /** The port for Raspberry Pis. It listens from `follow` on. */
  port: ReturnType<typeof enrolmentPort>;
}

export function openEnrolment(
  context: ServiceContext,
  { journal, records, agents, retryMs }: EnrolmentParts,
): OpenEnrolment {
  const { clock, log, stateDir, signal } = context;
  const rack = () => context.rack.rack;
  const enrolment = new Enrolment({
    rack,
    clock,
    log,
    records,
    cluster: new Cluster({ rack, signal }),
    isOpen: () => journal.isOpen,
    isAgentAlive: (name) => agents.isAlive(name),
  });
  const lockdown = new Lockdown(stateDir);
  const port = enrolmentPort({ context, enrolment, lockdown, retryMs });
  const waiting = () => enrolment.list().waiting;
  return { handlers: enrolmentHandlers({ enrolment, port }), waiting, port };
}

/** Handlers of operators' requests about enrolment. */
function enrolmentHandlers({
  enrolment,
  port,
}: {
  enrolment: Enrolment;
  port: Pick<ReturnType<typeof enrolmentPort>, 'opened' | 'failure'>;
}): RouteHandlers<typeof enrolmentsApi> {
  return {
    enrolments: () => ({ status: 200, body: enrolment.list() }),
    adopt: async ({ body, caller }) => ({
      status: 201,
      body: await enrolment.adopt(body, caller.name),
    }),
    revokeKey: async ({ params: { key }, caller }) => ({
      status: 200,
      body: await enrolment.revokeKey(key, caller.name),
    }),
    async newEnrolmentSecret({ body: { days }, caller }) {
      if (port.opened === undefined) {
        const why = port.failure ?? 'rack.yaml does not set services.machine-state.enrolment';
        throw new HttpProblem(503, `enrolment is off: ${why}`);
      }
      const { port: number, pin } = port.opened;
      const secret = await enrolment.newSecret(days, caller.name);
      return { status: 201, body: { ...secret, port: number, pin } };
    },
    async revokeEnrolmentSecret({ params: { id } }) {
      await enrolment.revokeSecret(id);
      return { status: 204 };
    },
  };
}
