/**
 * Cisco Catalyst switch with PoE, over ssh and telnet. It takes the terminal to be 80 columns wide until it is told
 * otherwise, so that the echo of a long line is not what was typed.
 *
 * Sources: Cisco's command references (Catalyst 3560, 3650: `power inline`, `show power inline`), recorded sessions,
 * netmiko's notes on echo and paging.
 */
import { OutletBoard } from '../device.ts';
import { type Cisco, ciscoCli } from './cisco.ts';
import { CiscoPoe } from './cisco-poe.ts';
import { type CliDevice, Core } from './core.ts';
import type { CliModel, CliOptions } from './model.ts';
import { startCliDevice } from './start.ts';
import type { Screen } from './terminal.ts';

export interface CiscoIosOptions
  extends CliOptions,
    Partial<Omit<Cisco, 'poe'>>,
    Partial<Pick<Screen, 'width' | 'overflow'>> {
  /** Ports with PoE, from Gi1/0/1; 24 when absent. */
  ports?: number;
  /** What each plugged-in machine draws; 4.5 when absent. */
  watts?: number;
}

export async function startCiscoIos(options: CiscoIosOptions): Promise<CliDevice> {
  const { ports: count = 24, watts = 4.5, width = 80, overflow = 'wrap' } = options;
  const ports = Array.from({ length: count }, (_, i) => `Gi1/0/${i + 1}`);
  const core = new Core({
    board: new OutletBoard(ports.map((port) => [port, { on: false, mode: 'auto', watts }])),
    ...options,
  });
  const poe = new CiscoPoe(core, ports);
  const device: Cisco = {
    hostName: options.hostName ?? 'Switch',
    poe,
    privilege: options.privilege ?? 1,
    denied: options.denied ?? [],
    logging: options.logging ?? 'before-prompt',
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
    powerUp: () => poe.powerUp(),
  };
  return await startCliDevice(model, { maxSessions: 5, ...options });
}
