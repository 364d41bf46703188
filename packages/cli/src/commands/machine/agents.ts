/**
 * Clients for the agents on machines. Tasks are root there, so clients limit the size of responses and send no token
 * that is valid elsewhere.
 */

import { type AgentStatus, type Client, swarmingClientApi } from '@skolo/api';
import type { Machine, Rack } from '@skolo/rack';
import type { SkoloCommand } from '../../command.ts';
import { CliError, complain, failPartly } from '../../errors.ts';
import { byNumber, expanded, namesOf } from '../../names.ts';
import { loadRack } from '../../rack-file.ts';
import { newClient } from '../../service-client.ts';

export type AgentClient = Client<typeof swarmingClientApi>;

/** An agent and its URL. */
export interface AgentPlace {
  /** Undefined for the machine at `--url`. */
  name: string | undefined;
  url: string;
  /** From rack.yaml, if that was read. */
  machine?: Machine;
  rack?: Rack;
}

/** Limits of a response. */
const mostBytes = { status: 64 * 1024, log: 2 * 1024 * 1024 };

/** @throws CliError The URL is not valid. */
export function agentClient(
  url: string,
  options: { token?: string | undefined; timeoutMs?: number; answers: keyof typeof mostBytes },
): AgentClient {
  const { answers, ...more } = options;
  return newClient(swarmingClientApi, { baseUrl: url, mostBytes: mostBytes[answers], ...more });
}

/** The agents of these machines, by default of all; or the one at `--url`. Prints unknown names and sets the exit code. */
export async function agentPlaces(
  command: SkoloCommand,
  words: readonly string[],
): Promise<AgentPlace[]> {
  const names = words.length === 0 ? [] : await expanded((await namesOf(words)).names);
  const { url } = command.globals();
  if (url !== undefined) {
    if (names.length > 1) command.error("give one machine, or leave out '--url'");
    return [{ name: names[0], url }];
  }
  const { didYouMean, serviceUrl } = await import('@skolo/rack');
  const rack = await loadRack(command.globals());
  const wanted = names.length === 0 ? [...rack.machines.keys()] : [...new Set(names)];
  const places = wanted.toSorted(byNumber).flatMap((name) => {
    const machine = rack.machines.get(name);
    if (machine !== undefined) {
      return [{ name, url: serviceUrl(rack, 'swarming-client', machine), machine, rack }];
    }
    complain(command.io, unknownMachine(rack, name, didYouMean));
    return [];
  });
  if (places.length < wanted.length) failPartly(command.io, places.length > 0);
  return places;
}

/**
 * The agent of one machine. With `--url` and `--rack` it also reads rack.yaml, which has the login.
 *
 * @throws CliError rack.yaml has no such machine.
 */
export async function agentPlace(
  command: SkoloCommand,
  word: string,
): Promise<AgentPlace & { name: string }> {
  const [name, ...others] = await expanded((await namesOf([word])).names);
  if (name === undefined || others.length > 0) command.error('give the name of one machine');
  const { url } = command.globals();
  if (url !== undefined && !command.gives('rack')) return { name, url };
  const { didYouMean, serviceUrl } = await import('@skolo/rack');
  const rack = await loadRack(command.globals());
  const machine = rack.machines.get(name);
  if (machine === undefined) throw new CliError(unknownMachine(rack, name, didYouMean));
  return { name, url: url ?? serviceUrl(rack, 'swarming-client', machine), machine, rack };
}

function unknownMachine(
  { machines }: Rack,
  name: string,
  didYouMean: typeof import('@skolo/rack').didYouMean,
): string {
  const guess = didYouMean(name, machines.keys());
  return `${name}: no such machine in rack.yaml${guess}; skolo rack show lists them`;
}

/** The status of an agent, or why there is none. */
export interface Answer {
  name: string;
  url: string;
  /** From rack.yaml. */
  shelf?: string;
  kind?: string;
  status?: AgentStatus;
  error?: string;
}

const atOnce = 32;
const timeoutMs = 5000;

/** Asks `atOnce` agents in parallel, each for at most `timeoutMs`. */
export async function askAgents(places: readonly AgentPlace[]): Promise<Answer[]> {
  const answers: Answer[] = [];
  let next = 0;
  async function askNext() {
    for (let at = next++; at < places.length; at = next++) {
      const place = places[at];
      if (place !== undefined) answers[at] = await askOne(place);
    }
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, places.length) }, askNext));
  return answers;
}

async function askOne({ name, url, machine }: AgentPlace): Promise<Answer> {
  const { shelf, kind } = machine ?? {};
  const known = { url, ...(shelf !== undefined && { shelf }), ...(kind !== undefined && { kind }) };
  const client = agentClient(url, { timeoutMs, answers: 'status' });
  try {
    const status = await client.status();
    return { name: name ?? status.machine, ...known, status };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return { name: name ?? url, ...known, error: error.message };
  }
}
