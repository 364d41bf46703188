/** Decides how long a command waits for a machine's task to end before it works on the machine. */

import { type Client, powerCycleDaemonApi } from '@skolo/api';
import type { Fetch } from '@skolo/base/internet';
import type { Jumphost } from '@skolo/fleet';
import type { Machine, Rack } from '@skolo/rack';
import { serviceUrl } from '@skolo/rack/light';
import { agentState, type HoldDeps, holdMachine, jobOn, type MachineTasks } from '@skolo/setup/k3s';
import type { Option } from 'commander';
import { timeOption } from '../arguments.ts';
import type { SkoloCommand } from '../command.ts';
import { agentClient } from './agents.ts';
import { findToken, newClient } from './service-client.ts';

/** Timeout for a machine's tasks, in milliseconds. */
export const taskPolls = { heldMs: 90_000, pollMs: 2000 };

export function taskLimitOption(): Option {
  const about = 'how long to wait for a running task; machines whose task takes longer are skipped';
  return timeOption('--task-limit <time>', about, '4h');
}

/** A rack's power-cycle daemon, through its jumphost. */
export async function powerDaemonAt(
  command: SkoloCommand,
  rack: Rack,
  { fetch }: Pick<Jumphost, 'fetch'>,
): Promise<Client<typeof powerCycleDaemonApi>> {
  const own = await findToken(command.io, command.globals().tokenFile, rack.name);
  const baseUrl = serviceUrl(rack, 'power-cycle-daemon');
  return newClient(powerCycleDaemonApi, { baseUrl, rack: rack.name, fetch, token: own?.token });
}

interface TasksDeps extends HoldDeps {
  rack: Rack;
  fetch: Fetch;
}

export function tasksOf(machine: Machine, { rack, fetch, ...hold }: TasksDeps): MachineTasks {
  const url = serviceUrl(rack, 'swarming-client', machine);
  const agent = agentClient(url, { answers: 'status', rack: rack.name, fetch });
  return {
    readState: async () => agentState(await agent.status()),
    job: () => jobOn(machine.name, hold),
    hold: () => holdMachine(machine.name, hold),
  };
}
