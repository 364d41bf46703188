/** Enrolment, wired. */
import type { enrolmentsApi, WaitingPi } from '@skolo/api';
import type { RouteHandlers, ServiceContext, StateJournal } from '@skolo/common';
import type { Agents } from '../collect/agents.ts';
import type { Records } from '../records.ts';
import { enrolmentHandlers } from './api.ts';
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
