/**
 * Ubiquiti EdgeRouter with PoE (EdgeOS, a descendant of Vyatta): a shell, and wrappers around the configuration system.
 *
 * A configuration session belongs to the process that runs the wrapper, as vyatta-cfg's own
 * `vyatta-cfg-cmd-wrapper` has it (`$PPID`, or CMD_WRAPPER_SESSION_ID): `begin`, `set`, `commit` and `end` go into one ssh
 * command. What the configuration system prints is from its source and from sessions of users; the columns of
 * `show interfaces ethernet poe` are those that users' scripts read (name, setting, voltage, watchdog), their headings are
 * made up. Which voltages a port can give differs by model: a wrong one is refused when it is committed.
 */
import { OutletBoard } from '../device.ts';
import { type CliDevice, Core, shellFaults } from './core.ts';
import { EdgeosConfiguration, type EdgeosPort } from './edgeos-configuration.ts';
import { edgeosFunctions, invalidCommand } from './edgeos-shell.ts';
import type { CliOptions } from './model.ts';
import type { Call, Output } from './shell.ts';
import { startCliDevice } from './start.ts';
import { noFiles, unixModel } from './unix-model.ts';

export interface EdgeosOptions extends CliOptions {
  /** By name; five ports that give 24 or 48 V, and give 48, when absent. */
  ports?: Readonly<Record<string, EdgeosPort>>;
  /** What each plugged-in machine draws; 4.5 when absent. */
  watts?: number;
}

const fivePorts: Readonly<Record<string, EdgeosPort>> = Object.fromEntries(
  ['eth0', 'eth1', 'eth2', 'eth3', 'eth4'].map((name) => [
    name,
    { modes: ['24v', '48v'], saved: '48v' },
  ]),
);

export async function startEdgeos(options: EdgeosOptions): Promise<CliDevice> {
  const { ports = fivePorts, watts = 4.5 } = options;
  const board = new OutletBoard(Object.keys(ports).map((name) => [name, { on: false, watts }]));
  const core = new Core({ board, ...options, faults: shellFaults });
  const configuration = new EdgeosConfiguration(core, ports);
  const api = (call: Call) => shellApi(call, configuration);
  const operational = (call: Call) => show(call, configuration);
  const model = unixModel({
    name: 'edgeos',
    core,
    ident: 'OpenSSH_6.6.1p1 Debian-4~bpo70+1',
    signIn: ['publickey', 'password', 'keyboard-interactive'],
    busyInside: true,
    box: {
      motd: 'Linux ubnt 3.10.107-UBNT mips64\nWelcome to EdgeOS\n',
      prompt: 'ubnt@ubnt:~$ ',
      programs: {
        '/opt/vyatta/sbin/vyatta-cfg-cmd-wrapper': (call) => configuration.wrapper(call),
        '/opt/vyatta/bin/vyatta-op-cmd-wrapper': operational,
        'cli-shell-api': api,
        '/bin/cli-shell-api': api,
        '/opt/vyatta/sbin/my_cli_shell_api': api,
      },
      functions: edgeosFunctions(configuration, operational),
      files: noFiles,
    },
    powerUp: () => configuration.powerUp(),
  });
  return await startCliDevice(model, options);
}

/** Prints the value of a node, without a newline. */
function shellApi({ args: [verb, ...path] }: Call, configuration: EdgeosConfiguration): Output {
  const [, port] = /^interfaces ethernet (\S+) poe output$/.exec(path.join(' ')) ?? [];
  if (verb !== 'returnActiveValue') return { status: 1 };
  const value = port === undefined ? undefined : configuration.active(port);
  return value === undefined ? { status: 1 } : { stdout: value };
}

/** Operational mode. */
function show({ args }: Call, configuration: EdgeosConfiguration): Output {
  switch (args.join(' ')) {
    case 'show interfaces ethernet poe':
      return { stdout: configuration.poeTable() };
    case 'show configuration commands':
      return { stdout: configuration.commands() };
    default:
      return invalidCommand(args);
  }
}
