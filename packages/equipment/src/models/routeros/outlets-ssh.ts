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
import { DeviceRejected } from '@skolo/equipment/transports';
import type { Device } from '../contract/device.ts';
import type { DriverDeps, OutletDriver } from '../contract/outlets.ts';
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
      return (port) => {
        const values = valuesOf(text, port);
        const setting = values.get('poe-out');
        if (setting === undefined) throw rejected(command, text);
        const [, watts] = /^(\d+(?:\.\d+)?)W$/.exec(values.get('poe-out-power') ?? '') ?? [];
        const status = values.get('poe-out-status');
        return poeReading(setting, status, watts === undefined ? undefined : Number(watts));
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

/** Of a port's block of `name: value` lines, which begins with its name. */
function valuesOf(text: string, port: string): ReadonlyMap<string, string> {
  const blocks = text.split(/^(?=[ \t]*name:)/m).map((block) => {
    const lines = block.matchAll(/^[ \t]*([\w-]+): *(\S*)[ \t]*$/gm);
    return new Map([...lines].map(([, key = '', value = '']) => [key, value]));
  });
  return blocks.find((block) => block.get('name') === port) ?? new Map();
}
