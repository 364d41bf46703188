import type { DeviceFault, OutletBoard } from '../../device.ts';
import {
  type CliDevice,
  type ConfiguredDevice,
  Core,
  type CoreOptions,
  shellFaults,
} from '../core.ts';
import type { CliModel, CliOptions, SignInMethod } from '../model.ts';
import { startCliDevice } from '../start.ts';
import { encodeText } from '../text-bytes.ts';
import type { UnixBox } from './box.ts';
import { unixExec, unixShell } from './shell.ts';

interface UnixModelOptions {
  name: string;
  core: Core;
  ident: string;
  box: UnixBox;
  signIn?: readonly SignInMethod[];
  busyInside?: boolean;
  powerUp(): void;
}

/** A device whose ssh leads to a Unix shell, with a channel for single commands and their exit status. */
export function unixModel({ box, ...options }: UnixModelOptions): CliModel {
  return {
    signIn: ['publickey', 'password'],
    words: {
      before: '',
      user: 'login: ',
      password: 'Password: ',
      wrong: 'Login incorrect\n',
      hidden: 'none',
      tries: 3,
    },
    screen: (pty) => ({
      width: pty?.cols ?? 0,
      overflow: 'wrap',
      interactive: pty !== undefined,
      newline: pty ? '\r\n' : '\n',
    }),
    shell: (terminal) => unixShell(terminal, box),
    exec: (terminal, command) => unixExec(terminal, command, box),
    ...options,
  };
}

/** What a model makes around the core of its device. */
export interface UnixDevice<More> {
  box: UnixBox;
  powerUp(): void;
  running(): string;
  startup(): string;
  /** What tests of this model ask of it. */
  more: More;
}

export interface UnixDeviceModel<More>
  extends Pick<UnixModelOptions, 'name' | 'ident' | 'signIn' | 'busyInside'>,
    Pick<CoreOptions, 'configurationWords'> {
  /** Without a pager when absent. */
  faults?: readonly DeviceFault[];
  board: OutletBoard;
  make(core: Core, reboot: () => void): UnixDevice<More>;
}

/** Puts one on the network. */
export async function startUnix<More extends object>(
  { board, faults = shellFaults, configurationWords = {}, make, ...model }: UnixDeviceModel<More>,
  options: CliOptions,
): Promise<ConfiguredDevice & More> {
  const core = new Core({ board, ...options, faults, configurationWords });
  let started: CliDevice | undefined;
  const { running, startup, more, ...inside } = make(core, () => void started?.reboot());
  started = await startCliDevice(unixModel({ ...model, core, ...inside }), options);
  return Object.assign(started, {
    running: () => encodeText(running()),
    startup: () => encodeText(startup()),
    ...more,
  });
}
