/** Signs requests to a machine's agent with the rack's key for agents, or sends them through machine-state. */

import { randomUUID } from 'node:crypto';
import { createSigner, type Signer } from '@skolo/api';
import { errorText } from '@skolo/base';
import type { SkoloCommand } from '../../command.ts';
import { CliError } from '../../errors.ts';
import { type AgentClient, type AgentPlace, agentClient, agentPlace } from '../../reach/agents.ts';
import {
  explained,
  explaining,
  type MachineState,
  machineState,
} from '../../reach/service-client.ts';

interface SignedIn {
  /** Of the machine, as in rack.yaml. */
  name: string;
  /** @throws CliError The agent rejects the request or does not respond; the message says what to do. */
  ask<T>(question: (client: AgentClient) => Promise<T>): Promise<T>;
}

export async function signIn(
  command: SkoloCommand,
  machine: string,
  answers: 'status' | 'log',
): Promise<SignedIn> {
  const place = await agentPlace(command, machine);
  const { signer, why } = await findSigner(command, place);
  const direct = agentClient(place.url, {
    signer,
    answers,
    rack: place.rackName,
    fetch: place.fetch,
  });
  const isDirect = signer !== undefined || place.rack === undefined || command.gives('url');
  const client = isDirect
    ? direct
    : { ...direct, ...throughMachineState(command, place.name, why) };
  const signIn = { hint: why, statuses: [401, 403] };
  const { name } = place;
  return { name, ask: (question) => explaining(() => question(client), command.globals(), signIn) };
}

/** machine-state has the key. It requires the operator's token instead of a signature. */
function throughMachineState(
  command: SkoloCommand,
  name: string,
  whyUnsigned: string,
): Pick<AgentClient, 'clearQuarantine' | 'repair' | 'reboot'> {
  const ask: MachineState['ask'] = (question) =>
    machineState(command)
      .ask(question)
      .catch((error: unknown) => {
        throw error instanceof CliError ? explained(error, whyUnsigned) : error;
      });
  const headers = { 'idempotency-key': randomUUID() };
  const params = { name };
  return {
    clearQuarantine: ({ body: { why: reason } }) =>
      ask((state) => state.clear({ params, body: { reason } })),
    repair: ({ body: { why: reason, ...body } }) =>
      ask((state) => state.repair({ headers, params, body: { ...body, reason } })),
    reboot: ({ body: { why: reason } }) =>
      ask((state) => state.reboot({ headers, params, body: { reason } })),
  };
}

/** `why` is the hint if the agent rejects the signature, or that there is none. */
async function findSigner(
  command: SkoloCommand,
  { name, rack }: AgentPlace & { name: string },
): Promise<{ signer?: Signer; why: string }> {
  const { rack: rackFile } = command.globals();
  if (rack === undefined) return { why: 'to sign requests, specify rack.yaml with --rack' };
  const { readAgentKey } = await import('@skolo/base/secrets');
  try {
    const signer = createSigner(await readAgentKey(rack), { rack: rack.name, machine: name });
    return { signer, why: `the request was signed with access.agents.privateKey from ${rackFile}` };
  } catch (error) {
    const why = `the request could not be signed: ${rackFile}: ${errorText(error)}`;
    return {
      why: `${why}; without a signature, only clients in the networks of access.anonymousRead have read access`,
    };
  }
}
