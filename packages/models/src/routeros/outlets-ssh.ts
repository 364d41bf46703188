/**
 * PoE ports of a MikroTik with RouterOS, over ssh (`transport: ssh`).
 *
 *     switch-3: { model: routeros, address: 192.168.1.60, portCount: 8, login: mikrotik }
 *
 * Proven against: own simulator, which OpenSSH has spoken to as well. Netmiko (2.4.2) types these commands at its console, not
 * in channels of their own. Hardware: none.
 *
 * Commands are run in channels of their own, where there is no prompt, no colour and no pager. Their exit status is 0
 * whatever comes of them, so a command that should say nothing and says something has failed. `forced-on` is what some
 * devices need, `auto-on` would leave them dark: it is told as the mode and restored. While a port is cycled, its setting
 * stays as it is, only the monitor tells that the power is off. Models that cannot measure tell no watts.
 *
 * `set` and `power-cycle` without a port would ask for one, or mean all: the port is checked before.
 *
 * Source: help.mikrotik.com, "PoE-Out" and "Command Line Interface".
 */
import { DeviceRefused, type ExecSession } from '@skolo/equipment';
import type { Device } from '../device.ts';
import { outletName } from '../families/outlet-name.ts';
import { execOf } from '../families/session.ts';
import type { DriverDeps, OutletReading, PowerDriver } from '../outlets.ts';
import { faultIn } from './poe-faults.ts';

const menu = '/interface ethernet poe';
const onModes: ReadonlySet<string> = new Set(['auto-on', 'forced-on']);

export function routerosSsh(device: Device, deps: DriverDeps): PowerDriver {
  const { name } = device;
  const use = execOf(device, deps);

  async function ask(session: ExecSession, command: string, signal: AbortSignal): Promise<string> {
    const { stdout, stderr, status } = await session.exec(command, { signal });
    if ((status ?? 0) === 0 && stderr.trim() === '') return stdout.replaceAll('\r', '');
    throw refused(command, stderr || stdout || `exit status ${status}`);
  }

  /** Of a command that says nothing when it has done what it was told. */
  async function tell(command: string, signal: AbortSignal): Promise<void> {
    const answer = await use((session, either) => ask(session, command, either), signal);
    if (answer.trim() !== '') throw refused(command, answer);
  }

  function refused(command: string, answer: string): DeviceRefused {
    const said = answer.trim().replaceAll(/\s+/g, ' ').slice(0, 200);
    return new DeviceRefused(name, `refuses ${JSON.stringify(command)}: ${said}`);
  }

  return {
    async read(outlets, signal) {
      const ports = outlets.map((outlet) => [outlet, outletName(device, outlet)] as const);
      // One block for each port, since blanks between the columns of several say nothing about whose they are.
      const command = ports.map(([, port]) => `${menu} monitor ${port} once`).join('; ');
      const text = await use((session, either) => ask(session, command, either), signal);
      const blocks = blocksIn(text);
      return new Map(
        ports.map(([outlet, port]) => {
          const block = blocks.get(port);
          if (block === undefined) throw refused(command, text);
          return [outlet, readingOf(name, port, block)];
        }),
      );
    },
    async turnOff(outlet, signal) {
      await tell(`${menu} set ${outletName(device, outlet)} poe-out=off`, signal);
    },
    async turnOn(outlet, mode = 'auto-on', signal) {
      if (!onModes.has(mode)) throw new DeviceRefused(name, `poe-out knows no ${mode}`);
      await tell(`${menu} set ${outletName(device, outlet)} poe-out=${mode}`, signal);
    },
    nativeCycle: {
      offSeconds: { least: 1, most: 60 },
      async run(outlet, offSeconds, signal) {
        const port = outletName(device, outlet);
        if (!Number.isInteger(offSeconds) || offSeconds < 1 || offSeconds > 60) {
          throw new DeviceRefused(name, `it cycles ports for 1 to 60 s, not for ${offSeconds} s`);
        }
        await tell(`${menu} power-cycle ${port} duration=${offSeconds}s`, signal);
      },
    },
    close: () => deps.sessions.end(name),
  };
}

/** `name: value` lines, a block for each port, which begins with its name. */
function blocksIn(text: string): Map<string, Map<string, string>> {
  const blocks = new Map<string, Map<string, string>>();
  let block: Map<string, string> | undefined;
  for (const line of text.split('\n')) {
    const [, key = '', value = ''] = /^\s*([\w-]+): *(\S*)\s*$/.exec(line) ?? [];
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
  const setting = block.get('poe-out') ?? '';
  const status = block.get('poe-out-status');
  if ((setting !== 'off' && !onModes.has(setting)) || status === undefined) {
    throw new DeviceRefused(device, `its monitor does not tell how ${port} is set`);
  }
  const [, watts] = /^(\d+(?:\.\d+)?)W$/.exec(block.get('poe-out-power') ?? '') ?? [];
  const isOn = setting !== 'off' && !/^power[-_]reset$/.test(status);
  return {
    state: isOn ? 'on' : 'off',
    delivering: status === 'powered-on',
    ...(isOn && faultIn(status)),
    ...(watts !== undefined && { watts: Number(watts) }),
    ...(isOn && { mode: setting }),
  };
}
