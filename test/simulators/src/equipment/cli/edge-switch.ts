/**
 * Ubiquiti EdgeSwitch: Fastpath's command line over ssh and, where it is switched on, telnet. There is no exec channel,
 * and no exit status: a client that signed out sees its connection closed.
 *
 * Sources: Ubiquiti's EdgeSwitch command reference; recorded sessions of users; Oxidized's model `edgeswitch`. How a
 * sixth session is turned away is not documented; here its connection is closed without a word.
 */
import { OutletBoard } from '../device.ts';
import { type ConfiguredDevice, Core } from './core.ts';
import { fastpathCli } from './fastpath.ts';
import { FastpathSettings, factoryName } from './fastpath-configuration.ts';
import { FastpathPoe, type FastpathPoeOptions, outletOf } from './fastpath-poe.ts';
import type { CliModel, CliOptions } from './model.ts';
import { startCliDevice } from './start.ts';
import { encodeText } from './text-bytes.ts';

export interface EdgeSwitchOptions extends CliOptions, FastpathPoeOptions {
  /** Ports with PoE, of each member of a stack; 24 when absent. */
  ports?: number;
  /** Members of the stack: its ports are then `1/0/1` and so on. */
  stack?: number;
  /** The name in the prompt, where the configuration has no `hostname`; `UBNT EdgeSwitch` when absent. */
  name?: string;
  /** What is saved when it starts, as `show running-config` prints it; the factory's when absent. */
  configuration?: string;
  /** `F09FC2DE5678` when absent. */
  serial?: string;
  /** Absent: `enable` asks for nothing. */
  enablePassword?: string;
  /** What each plugged-in machine draws; 4.5 when absent. */
  watts?: number;
}

export async function startEdgeSwitch(options: EdgeSwitchOptions): Promise<ConfiguredDevice> {
  const {
    ports: count = 24,
    stack,
    name = factoryName,
    enablePassword,
    watts = 4.5,
    serial = 'F09FC2DE5678',
  } = options;
  const slots = stack === undefined ? ['0'] : Array.from({ length: stack }, (_, i) => `${i + 1}/0`);
  const ports = slots.flatMap((slot) =>
    Array.from({ length: count }, (_, i) => `${slot}/${i + 1}`),
  );
  const board = new OutletBoard(
    ports.map((port) => [outletOf(port), { on: false, mode: 'auto', watts }]),
  );
  const core = new Core({ board, ...options });
  const poe = new FastpathPoe(core, ports, options);
  const settings = new FastpathSettings(core, poe, { name, serial }, options.configuration);
  const model: CliModel = {
    name: 'edgeswitch',
    core,
    signIn: ['publickey', 'password', 'keyboard-interactive'],
    words: {
      before: `\n(${name})\n`,
      user: 'User:',
      password: 'Password:',
      wrong: '\nIncorrect login/password! Login Failed.\n',
      hidden: 'stars',
      tries: 3,
    },
    screen: (pty) => ({
      width: pty?.cols ?? 0,
      overflow: 'wrap',
      interactive: true,
      newline: '\r\n',
    }),
    shell: (terminal) =>
      fastpathCli(terminal, {
        settings,
        poe,
        ...(enablePassword !== undefined && { enablePassword }),
      }),
    powerUp: () => settings.powerUp(),
  };
  const device = await startCliDevice(model, { maxSessions: 5, ...options });
  return Object.assign(device, {
    running: () => encodeText(settings.running()),
    startup: () => encodeText(settings.startup()),
  });
}
