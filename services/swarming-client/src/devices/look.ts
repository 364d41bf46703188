/** Decides whether a device is missing, or a program on the machine is to blame, from the errors of a reading, which is tried up to three times. */
import { errorText, oneLine, pause, withDeadline } from '@skolo/base';
import { CommandFailed, type CommandResult } from '@skolo/base/run-command';
import type { Device, DeviceReading, Look } from './device.ts';

/** A device that is missing or unusable. The message is for people. */
export class Missing extends Error {
  /** Only a person can end this: by a tap on its screen, a passcode, or a change of settings. */
  readonly code: 'needs-person' | undefined;

  constructor(why: string, code?: 'needs-person') {
    super(why);
    this.code = code;
  }
}

/** A program failed, which may not happen again. */
export class CallFailed extends Missing {}

/** Only an edit to rack.yaml can help, so that no repair may try. */
export class WrongEntry extends Missing {}

/** Attached devices could not be listed, so nothing is known about this one. */
class NotListed extends Error {}

/** What to install if a program is missing. */
const packages: Readonly<Record<string, string>> = {
  adb: 'adb',
  ideviceinfo: 'libimobiledevice-utils',
  idevice_id: 'libimobiledevice-utils',
  idevicediagnostics: 'libimobiledevice-utils',
  ssh: 'openssh-client',
};

/**
 * Failed or slow calls in a row that make a verdict. One proves nothing: another client of adb, for example, may just have restarted its server.
 * With the usual time-out, three take 17 s.
 */
const verdictAfter = 3;
/** Silence makes a verdict, too, however long a call may take. The first call has all its time. */
const verdictAfterMs = 30_000;
const againMs = 1000;

/** A reading that only throws the signal's reason. A `Look` of another reading is this one's, too, without another call. */
export function retried(
  read: (signal: AbortSignal) => Promise<DeviceReading | Look>,
): Device['read'] {
  return async (signal) => {
    const end = performance.now() + verdictAfterMs;
    let last = await readOnce(read, signal);
    for (let call = 2; last.mayPass && call <= verdictAfter; call += 1) {
      const ms = end - performance.now() - againMs;
      if (ms <= 0) break;
      await pause(againMs, signal);
      const late = () => new Error('no time left');
      const work = (limit: AbortSignal) => readOnce(read, limit);
      last = await withDeadline({ ms, late, signal }, work).catch(() => {
        signal.throwIfAborted();
        return { ...last, mayPass: false };
      });
    }
    return last.look;
  };
}

interface Call {
  look: Look;
  /** Another call may have another result. */
  mayPass: boolean;
}

/** @throws The signal's reason. */
async function readOnce(
  read: (signal: AbortSignal) => Promise<DeviceReading | Look>,
  signal: AbortSignal,
): Promise<Call> {
  try {
    const found = await read(signal);
    if ('state' in found) return { look: found, mayPass: false };
    const look = { state: 'present', reading: found } as const;
    return { look, mayPass: found.whyNotReady !== undefined };
  } catch (error) {
    signal.throwIfAborted();
    return { look: verdictOf(error), mayPass: mayPass(error) };
  }
}

function mayPass(error: unknown): boolean {
  const isSlow = error instanceof CommandFailed && error.code === 'timeout';
  return isSlow || error instanceof CallFailed || error instanceof NotListed;
}

/** A device is only missing if its list could be read: a program that does not run is a fault of this computer. */
function verdictOf(error: unknown): Look {
  const why = whyOf(error);
  if (isHostFault(error)) return { state: 'unknown', code: 'host-fault', why };
  if (error instanceof WrongEntry) return { state: 'unknown', code: 'rack-yaml', why };
  if (error instanceof NotListed) return { state: 'unknown', code: 'not-listed', why };
  return { state: 'missing', why, code: error instanceof Missing ? error.code : undefined };
}

/** Whether a program is not installed here, or cannot be started. */
function isHostFault(error: unknown): boolean {
  return error instanceof CommandFailed && ['missing', 'not-started'].includes(error.code);
}

/**
 * Runs whatever a list of devices depends on.
 *
 * @throws NotListed, or the error of a program that cannot be run
 */
export async function listing<T>(signal: AbortSignal, list: () => Promise<T>): Promise<T> {
  try {
    return await list();
  } catch (error) {
    signal.throwIfAborted();
    throw isHostFault(error) ? error : new NotListed(errorText(error), { cause: error });
  }
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
