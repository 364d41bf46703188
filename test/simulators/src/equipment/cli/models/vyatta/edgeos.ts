/**
 * Ubiquiti EdgeRouter with PoE (EdgeOS, a descendant of Vyatta): a shell, and wrappers around the configuration system.
 *
 * A configuration session belongs to the process that runs the wrapper, as vyatta-cfg's own
 * `vyatta-cfg-cmd-wrapper` has it (`$PPID`, or CMD_WRAPPER_SESSION_ID): `begin`, `set`, `commit` and `end` go into one ssh
 * command. What the configuration system prints is from its source and from sessions of users; the columns of
 * `show interfaces ethernet poe` those that users' scripts read (name, setting, voltage, watchdog), their headings are
 * made up. Which voltages a port can give differs by model: a wrong one is rejected when it is committed.
 */
import { OutletBoard } from '../../../device.ts';
import type { CliOptions } from '../../model.ts';
import { hostTables } from '../host-tables.ts';
import {
  type EdgeosPorts,
  edgeosFactory,
  edgeosPoe,
  edgeosVersions,
  poeTable,
} from './edgeos-configuration.ts';
import { startVyatta, type VyattaDevice } from './vyatta.ts';

export interface EdgeosOptions extends CliOptions {
  /** By name; five ports that give 24 or 48 V, and give 48, when absent. */
  ports?: EdgeosPorts;
  /** What each plugged-in machine draws; 4.5 when absent. */
  watts?: number;
  /** What is in config.boot, with or without the versions at its end; the factory's, with those ports, when absent. */
  configuration?: string;
  /** `802AA8DE1234` when absent. */
  serial?: string;
}

const fivePorts: EdgeosPorts = Object.fromEntries(
  ['eth0', 'eth1', 'eth2', 'eth3', 'eth4'].map((name) => [
    name,
    { modes: ['24v', '48v'], saved: '48v' },
  ]),
);

export async function startEdgeos(options: EdgeosOptions): Promise<VyattaDevice> {
  const { ports = fivePorts, watts = 4.5, serial = '802AA8DE1234' } = options;
  const board = new OutletBoard(Object.keys(ports).map((name) => [name, { on: false, watts }]));
  return await startVyatta(options, {
    name: 'edgeos',
    ident: 'OpenSSH_6.6.1p1 Debian-4~bpo70+1',
    motd: 'Linux ubnt 3.10.107-UBNT mips64\nWelcome to EdgeOS\n',
    user: 'ubnt',
    board,
    text: edgeosFactory(ports),
    versions: edgeosVersions,
    words: {
      proceed: (minutes) =>
        `commit confirm will be automatically reboot in ${minutes} minutes unless confirmed\nProceed? [confirm][y]`,
      takesKey: true,
      scheduled: () => '',
      quotes: { shown: 'written', saved: 'written' },
    },
    hooks: edgeosPoe(board, ports),
    quote: (value) => (/^[^\s"'{}\\?|<>&;]+$/.test(value) ? value : `'${value}'`),
    show: (configuration, plugged) => ({
      ...Object.fromEntries(hostTables('edgeos', plugged)),
      'show interfaces ethernet poe': () => poeTable(configuration, ports),
      'show version': () => version(serial),
      'show hardware cpu': () => 'processor : 0\ncpu model : Cavium Octeon+ V0.1\n',
      'show ubnt offload': () => 'IP offload module   : loaded\nIPv4\n  forwarding: disabled\n',
    }),
  });
}

function version(serial: string): string {
  const up = new Date().toISOString().slice(11, 19);
  return [
    'Version:      v2.0.9-hotfix.6',
    'Build ID:     5574652',
    'Build on:     12/30/22 10:20',
    'Copyright:    2012-2022 Ubiquiti, Inc.',
    'HW model:     EdgeRouter PoE 5-Port',
    `HW S/N:       ${serial}`,
    `Uptime:       ${up} up 12 days,  3:41,  1 user,  load average: 0.00, 0.01, 0.05`,
    '',
  ].join('\n');
}
