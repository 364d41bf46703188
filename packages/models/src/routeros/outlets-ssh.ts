/**
 * PoE ports of a MikroTik with RouterOS, over ssh (`transport: ssh`).
 *
 *     switch-3: { model: routeros, address: 192.168.1.60, portCount: 8, login: mikrotik }
 *
 * Verified with: our simulator, which OpenSSH has also connected to. Netmiko (2.4.2) types these commands at its console, not in separate
 * channels.
 *
 * Commands are run in separate channels, where there is no prompt, no colour and no pager. Their exit status is 0 whatever comes of them,
 * so a command that should print nothing and prints something has failed. Some devices require `forced-on`, and `auto-on` would leave them
 * without power: it is reported as the mode and restored. While a port is being cycled, its setting stays the same; only the monitor shows
 * that the power is off. Models that cannot measure report no watts.
 *
 * `set` and `power-cycle` without a port would ask for one, or mean all: the port is checked before.
 *
 * Source: help.mikrotik.com, "PoE-Out" and "Command Line Interface".
 */
import { DeviceRejected } from '@skolo/equipment';
import type { Device } from '../contract/device.ts';
import type { DriverDeps, OutletDriver, OutletReading } from '../contract/outlets.ts';
import { type Shell, shellOf, shortened } from '../families/command-line/session.ts';
import { isOnMode, poeReading } from './poe.ts';

const menu = '/interface ethernet poe';

export function routerosSsh(device: Device, deps: DriverDeps): OutletDriver<string> {
  const { name } = device;
  const use = shellOf(device, deps);

  async function ask(shell: Shell, command: string): Promise<string> {
    const { stdout, stderr, status } = await shell.exec(command);
    if ((status ?? 0) === 0 && stderr.trim() === '') return stdout.replaceAll('\r', '');
    throw rejected(command, stderr || stdout || `exit status ${status}`);
  }

  /** A command that prints nothing on success. */
  async function run(command: string, signal: AbortSignal): Promise<void> {
    const answer = await use((shell) => ask(shell, command), signal);
    if (answer.trim() !== '') throw rejected(command, answer);
  }

  function rejected(command: string, answer: string): DeviceRejected {
    return new DeviceRejected(name, `rejects ${JSON.stringify(command)}: ${shortened(answer)}`);
  }

  return {
    key: (outlet) => outlet,
    isMode: isOnMode,
    async read(ports, signal) {
      // One block per port, because the columns of a table with several ports are ambiguous.
      const command = ports.map((port) => `${menu} monitor ${port} once`).join('; ');
      const text = await use((shell) => ask(shell, command), signal);
      const blocks = blocksIn(text);
      return (port) => {
        const block = blocks.get(port);
        if (block === undefined) throw rejected(command, text);
        return readingOf(name, port, block);
      };
    },
    async set(port, state, signal, mode = 'auto-on') {
      await run(`${menu} set ${port} poe-out=${state === 'on' ? mode : 'off'}`, signal);
    },
    cycle: {
      offSeconds: { least: 1, most: 60, whole: true },
      async run(port, offSeconds, signal) {
        await run(`${menu} power-cycle ${port} duration=${offSeconds}s`, signal);
      },
    },
  };
}

/** `name: value` lines, one block per port, which begins with its name. */
function blocksIn(text: string): Map<string, Map<string, string>> {
  const blocks = new Map<string, Map<string, string>>();
  let block: Map<string, string> | undefined;
  for (const line of text.split('\n')) {
    const [, key = '', value = ''] = /^\s*([\w-]+):(?: *(\S+))?\s*$/.exec(line) ?? [];
    if (key === 'name') {
      block = new Map();
      blocks.set(value, block);
    }
    if (key !== '') block?.set(key, value);
  }
  return blocks;
}

function readingOf(
  device: string,
  port: string,
  block: ReadonlyMap<string, string>,
): OutletReading {
  const setting = block.get('poe-out');
  const status = block.get('poe-out-status');
  if (setting === undefined) {
    throw new DeviceRejected(
      device,
      `the poe monitor command does not report the PoE setting of ${port}`,
    );
  }
  const [, watts] = /^(\d+(?:\.\d+)?)W$/.exec(block.get('poe-out-power') ?? '') ?? [];
  return poeReading(setting, status, watts === undefined ? undefined : Number(watts));
}
