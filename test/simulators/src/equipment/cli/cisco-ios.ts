/**
 * Cisco Catalyst switch with PoE, over ssh and telnet. It takes the terminal to be 80 columns wide until it is told
 * otherwise, so that the echo of a long line is not what was typed.
 *
 * Sources: Cisco's command references (Catalyst 3560, 3650: `power inline`, `show power inline`), recorded sessions,
 * netmiko's notes on echo and paging.
 */
import { OutletBoard } from '../device.ts';
import { type Cisco, ciscoCli } from './cisco.ts';
import { CiscoSettings, logLine } from './cisco-configuration.ts';
import { Flash } from './cisco-flash.ts';
import { CiscoPoe } from './cisco-poe.ts';
import { type ConfiguredDevice, Core } from './core.ts';
import type { CliModel, CliOptions } from './model.ts';
import { startCliDevice } from './start.ts';
import type { Screen } from './terminal.ts';
import { encodeText } from './text-bytes.ts';

export interface CiscoIosOptions
  extends CliOptions,
    Partial<Omit<Cisco, 'poe' | 'settings' | 'flash'>>,
    Partial<Pick<Screen, 'width' | 'overflow'>> {
  /** Ports with PoE, from Gi1/0/1; 24 when absent. */
  ports?: number;
  /** What each plugged-in machine draws; 4.5 when absent. */
  watts?: number;
  /** `Switch` when absent. */
  hostName?: string;
  /** What is saved when it starts, as `show running-config` prints it; the factory's when absent. */
  configuration?: string;
  /** `FDO1234X0AB` when absent. */
  serial?: string;
}

export async function startCiscoIos(options: CiscoIosOptions): Promise<ConfiguredDevice> {
  const { ports: count = 24, watts = 4.5, width = 80, overflow = 'wrap' } = options;
  const ports = Array.from({ length: count }, (_, i) => `Gi1/0/${i + 1}`);
  const core = new Core({
    board: new OutletBoard(ports.map((port) => [port, { on: false, mode: 'auto', watts }])),
    ...options,
    configurationWords: {
      logLine: logLine('%LINK-3-UPDOWN: Interface GigabitEthernet1/0/7, changed state to up'),
    },
  });
  const poe = new CiscoPoe(core, ports);
  const { hostName = 'Switch', serial = 'FDO1234X0AB' } = options;
  const settings = new CiscoSettings(core, poe, { hostName, serial }, options.configuration);
  const device: Cisco = {
    settings,
    flash: new Flash(),
    poe,
    privilege: options.privilege ?? 1,
    denied: options.denied ?? [],
    logging: options.logging ?? 'before-prompt',
    promptTimestamp: options.promptTimestamp ?? false,
    ...(options.enablePassword !== undefined && { enablePassword: options.enablePassword }),
  };
  const model: CliModel = {
    name: 'cisco-ios',
    core,
    ident: 'Cisco-1.25',
    signIn: ['publickey', 'keyboard-interactive', 'password'],
    words: {
      before: '\n\nUser Access Verification\n\n',
      user: 'Username: ',
      password: 'Password: ',
      wrong: '% Login invalid\n\n',
      hidden: 'none',
      tries: 3,
    },
    screen: () => ({ width, overflow, interactive: true, newline: '\r\n' }),
    shell: (terminal) => ciscoCli(terminal, device),
    powerUp: () => settings.powerUp(),
  };
  const started = await startCliDevice(model, { maxSessions: 5, ...options });
  return Object.assign(started, {
    running: () => encodeText(settings.running()),
    startup: () => encodeText(settings.startup()),
  });
}
