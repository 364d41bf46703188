import { errorText, oneLine } from '@skolo/base';
import { CommandFailed, type CommandResult } from '../host/run-command.ts';
import type { Device, DeviceReading } from './device.ts';

/** A device that is missing or unusable. The message is for people. */
export class Missing extends Error {}

/** What to install if a program is missing. */
const packages: Readonly<Record<string, string>> = {
  adb: 'adb',
  ideviceinfo: 'libimobiledevice-utils',
  idevice_id: 'libimobiledevice-utils',
  idevicediagnostics: 'libimobiledevice-utils',
  ssh: 'openssh-client',
};

/** A reading that only throws the signal's reason. */
export function lookWith(read: (signal: AbortSignal) => Promise<DeviceReading>): Device['look'] {
  return async (signal) => {
    signal.throwIfAborted();
    try {
      return { state: 'present', reading: await read(signal) };
    } catch (error) {
      signal.throwIfAborted();
      return { state: 'missing', why: whyOf(error) };
    }
  };
}

function whyOf(error: unknown): string {
  if (error instanceof CommandFailed && error.code === 'missing') {
    const [program = ''] = error.message.split(' ');
    const name = packages[program];
    return name === undefined ? error.message : `${error.message}; install package ${name}`;
  }
  return errorText(error);
}

/** Output of a program or a device, as one short line without control characters. */
export function excerpt(text: string): string {
  const line = oneLine(text);
  return line.length > 120 ? `${line.slice(0, 119)}…` : line;
}

/** Why a program failed: the last line of its output. */
export function complaint({ status, stdout, stderr }: CommandResult): string {
  const lines = `${stdout}\n${stderr}`.split('\n').map(excerpt);
  const last = lines.findLast((line) => line !== '' && !line.startsWith('*'));
  return last ?? (status === undefined ? 'terminated by a signal' : `status ${status}`);
}
