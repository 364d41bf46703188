/**
 * Errors of equipment, one class for each decision that a caller can make, such as a retry: unreachable, sign-in rejected, busy,
 * timeout. Messages begin with the device's name.
 */
import { NamedError } from '@skolo/base';

/** Base class. `retry` says whether the same call may succeed a moment later. */
export abstract class DeviceError extends NamedError {
  abstract readonly retry: boolean;
  readonly device: string;

  constructor(device: string, what: string, options?: ErrorOptions) {
    super(`${device}: ${what}`, options);
    this.device = device;
  }
}

/** No connection, or it died: the device is off, hanging, or unreachable. What was sent may have been carried out. */
export class DeviceUnreachable extends DeviceError {
  readonly retry = true;
}

/** It did not respond in time. The message says what was waited for. What was sent may have been carried out. */
export class DeviceTimeout extends DeviceError {
  readonly retry = true;
}

/** Another session is using it. */
export class DeviceBusy extends DeviceError {
  readonly retry = true;
}

/** It rejects the password or key, or there is none. */
export class SignInRejected extends DeviceError {
  readonly retry = false;
}

/** Its host key differs from the pinned one: it was replaced, or another host intercepts the connection. */
export class HostKeyChanged extends DeviceError {
  readonly retry = false;
}

/** It understood and refused, or its answer makes no sense: a login page, an error text, a missing instance. */
export class DeviceRejected extends DeviceError {
  readonly retry = false;
}

/** It asks a question that skolo does not answer. */
export class DeviceAsks extends DeviceRejected {}

/** More output followed an apparent prompt: what was read is incomplete. */
export class AnswerCut extends DeviceError {
  readonly retry = true;
}

/** An answer mixes the configuration with messages that cannot be separated. */
export class AnswerUncertain extends DeviceError {
  readonly retry = true;
}

/** A device's output cannot be stored: this computer's disk is full or faulty. Not the device's fault. */
export class OutputNotStored extends NamedError {
  constructor(device: string, folder: string, cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause);
    super(`${device}: the output cannot be stored in ${folder}: ${why}`, { cause });
  }
}
