/** A machine that is powered by boards' outlets, and its entry in rack.yaml. */
import {
  type SimulatedMachine,
  type SimulatedMachineOptions,
  startSimulatedMachine,
} from '@skolo/simulators';
import { onTestFinished } from 'vitest';
import type { Boards } from './board-driver.ts';

export interface PluggedMachine extends SimulatedMachine {
  /** Its entry in rack.yaml. */
  entry: string;
}

/** @param power `switch-1/1` */
export async function plugIn(
  boards: Boards,
  name: string,
  power: readonly string[],
  options: Partial<SimulatedMachineOptions> & { more?: string; timeoutSeconds?: number } = {},
): Promise<PluggedMachine> {
  const { more, timeoutSeconds = 20, ...own } = options;
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
  const { host, sshPort, agentUrl } = machine;
  const fields = [
    'kind: rpi',
    `address: ${host}`,
    ...(power.length > 0 ? [`power: [${power.join(', ')}]`] : []),
    `seenBack: { ssh: ${sshPort}, timeoutSeconds: ${timeoutSeconds} }`,
    // Without an agent: an address where nothing listens, whatever else runs on this computer.
    `swarming: { url: ${agentUrl ?? `http://${host}:9`} }`,
    'offSeconds: 0.5',
    ...(more === undefined ? [] : [more]),
  ];
  return Object.assign(machine, { entry: `{ ${fields.join(', ')} }` });
}
