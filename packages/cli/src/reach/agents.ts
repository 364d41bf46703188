/**
 * Clients for agents on machines, with time limits, and how many are read at once. Tasks run there as root, so clients limit the size of
 * responses and never send a token.
 */

import {
  type AgentStatus,
  ApiUnreachable,
  type Client,
  type Fetch,
  type Signer,
  swarmingClientApi,
} from '@skolo/api';
import { inParallel } from '@skolo/base';
import type { Machine, Rack } from '@skolo/rack';
import { didYouMean, serviceUrl } from '@skolo/rack/light';
import type { SkoloCommand } from '../command.ts';
import { CliError } from '../errors.ts';
import { expandedNames, findNamed } from '../names.ts';
import { rackToReach } from '../workstation/rack-file.ts';
import { newClient, rackNameOf, wayOn } from './service-client.ts';

export type AgentClient = Client<typeof swarmingClientApi>;

/** An agent and its URL. */
export interface AgentPlace {
  /** Undefined for the machine at `--url`. */
  name: string | undefined;
  url: string;
  /** The name that the agent's rack must have; undefined: any. */
  rackName: string | undefined;
  /** From rack.yaml, if it was read. */
  machine?: Machine;
  rack?: Rack;
  /** Through the jumphost, for `--on`. */
  fetch?: Fetch;
}

/** Limits of a response. */
const mostBytes = { status: 64 * 1024, log: 2 * 1024 * 1024 };

/** @throws CliError The URL is not valid. */
export function agentClient(
  url: string,
  options: {
    signer?: Signer | undefined;
    rack?: string | undefined;
    timeoutMs?: number;
    answers: keyof typeof mostBytes;
    fetch?: Fetch | undefined;
  },
): AgentClient {
  const { answers, fetch, ...others } = options;
  const more = { ...others, ...(fetch && { fetch }) };
  return newClient(swarmingClientApi, { baseUrl: url, mostBytes: mostBytes[answers], ...more });
}

/** The agents of these machines, by default of all; or the one at `--url`. Prints unknown names and sets the exit code. */
export async function agentPlaces(
  command: SkoloCommand,
  words: readonly string[],
): Promise<AgentPlace[]> {
  const names = expandedNames(words);
  const { url } = command.globals();
  if (url !== undefined) {
    if (names.length > 1) command.error("specify one machine, or omit '--url'");
    const rackName = await rackNameOf(command.globals());
    return [{ name: names[0], url, rackName, ...(await wayOn(command)) }];
  }
  const rack = await rackToReach(command);
  const all = [...rack.machines.values()];
  const way = await wayOn(command);
  return findNamed(command.io, names, all, unknown, toList).map((machine) => {
    const url = serviceUrl(rack, 'swarming-client', machine);
    return { name: machine.name, url, rackName: rack.name, machine, ...way };
  });
}

/**
 * The agent of one machine. With `--url` and `--rack`, also reads rack.yaml for the login.
 *
 * @throws CliError The machine is not in rack.yaml.
 */
export async function agentPlace(
  command: SkoloCommand,
  word: string,
): Promise<AgentPlace & { name: string }> {
  const [name, ...others] = expandedNames([word]);
  if (name === undefined || others.length > 0) command.error('specify a single machine');
  const { url } = command.globals();
  const way = await wayOn(command);
  if (url !== undefined && !command.gives('rack')) {
    return { name, url, rackName: await rackNameOf(command.globals()), ...way };
  }
  const rack = await rackToReach(command);
  const machine = rack.machines.get(name);
  if (machine === undefined) {
    throw new CliError(`${name}: ${unknown}${didYouMean(name, rack.machines.keys(), toList)}`);
  }
  const own = url ?? serviceUrl(rack, 'swarming-client', machine);
  return { name, url: own, rackName: rack.name, machine, rack, ...way };
}

const unknown = 'no such machine in rack.yaml';
const toList = 'run skolo inventory list to see all machines';

/** The status of an agent, or why there is none. */
export interface Answer {
  name: string;
  url: string;
  /** From rack.yaml. */
  shelf: string | undefined;
  kind: string | undefined;
  status?: AgentStatus;
  /** Without the URL. */
  error?: string;
}

const atOnce = 32;
const timeoutMs = 5000;

/** Asks `atOnce` agents in parallel, each for at most `timeoutMs`. */
export function askAgents(places: readonly AgentPlace[]): Promise<Answer[]> {
  return inParallel(places, atOnce, askOne);
}

async function askOne({ name, url, machine, rackName, fetch }: AgentPlace): Promise<Answer> {
  const known = { url, shelf: machine?.shelf, kind: machine?.kind };
  const client = agentClient(url, { timeoutMs, answers: 'status', rack: rackName, fetch });
  try {
    const status = await client.status();
    return { name: name ?? status.machine, ...known, status };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const why = error instanceof ApiUnreachable ? error.why : error.message;
    return { name: name ?? url, ...known, error: why };
  }
}
