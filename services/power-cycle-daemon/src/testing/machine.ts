/** A machine that is powered by boards' outlets, and its entry in rack.yaml. */
import { untilTestEnds } from '@skolo/base/testing';
import {
  type Relay,
  type SimulatedMachine,
  type SimulatedMachineOptions,
  startRelay,
  startSimulatedMachine,
} from '@skolo/simulators';
import { onTestFinished } from 'vitest';
import type { Boards } from './board-driver.ts';

export interface PluggedMachine extends SimulatedMachine {
  /** Its entry in rack.yaml. */
  entry: string;
  /** In front of its SSH port and its agent, if `isRelayed`. */
  relays: { ssh: Relay; agent: Relay } | undefined;
}

/** @param power `switch-1/1` */
export async function plugIn(
  boards: Boards,
  name: string,
  power: readonly string[],
  options: Partial<SimulatedMachineOptions> & {
    more?: string;
    timeoutSeconds?: number;
    isRelayed?: true;
  } = {},
): Promise<PluggedMachine> {
  const { more, timeoutSeconds = 20, isRelayed, ...own } = options;
  const machine = await startSimulatedMachine({
    name,
    username: 'chrome-bot',
    feeds: power.map((feed) => {
      const [device = '', outlet = ''] = feed.split('/');
      return [boards.get(device).outlets, outlet] as const;
    }),
    bootSeconds: 0.1,
    ...own,
  });
  onTestFinished(() => machine.close());
  const relays = isRelayed && (await startRelays(machine));
  const { host, sshPort, agentUrl } = machine;
  const fields = [
    'kind: rpi',
    `address: ${host}`,
    ...(power.length > 0 ? [`power: [${power.join(', ')}]`] : []),
    `seenBack: { ssh: ${relays?.ssh.port ?? sshPort}, timeoutSeconds: ${timeoutSeconds} }`,
    // Without an agent: an address where nothing listens, whatever else runs on this computer.
    `swarming: { url: ${relays?.agent.url ?? agentUrl ?? `http://${host}:9`} }`,
    'offSeconds: 0.5',
    ...(more === undefined ? [] : [more]),
  ];
  return Object.assign(machine, { entry: `{ ${fields.join(', ')} }`, relays });
}

/** They are closed while it is down: a relay alone would accept connections. */
async function startRelays(machine: SimulatedMachine) {
  const { host, sshPort, agentPort = 9 } = machine;
  const ssh = untilTestEnds(await startRelay({ host, port: sshPort }));
  const agent = untilTestEnds(await startRelay({ host, port: agentPort }));
  async function follow() {
    for (;;) {
      await machine.whenDown();
      await Promise.all([ssh.close(), agent.close()]);
      await machine.whenUp();
      await Promise.all([ssh.open(), agent.open()]);
    }
  }
  void follow();
  return { ssh, agent };
}
