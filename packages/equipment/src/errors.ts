/** What can go wrong with a device: one class for each decision that a caller can take. Messages begin with its name. */

/** Any of them. `retry` says whether the same may work a moment later. */
export abstract class DeviceError extends Error {
  abstract readonly retry: boolean;
  readonly device: string;

  constructor(device: string, what: string, options?: ErrorOptions) {
    super(`${device}: ${what}`, options);
    this.name = new.target.name;
    this.device = device;
  }
}

/** No connection, or it died: the device is off, wedged, or the way to it is cut. What was sent may have been carried out. */
export class DeviceUnreachable extends DeviceError {
  readonly retry = true;
}

/** It did not respond in time. The message says what was waited for. What was sent may have been carried out. */
export class DeviceTimeout extends DeviceError {
  readonly retry = true;
}

/** Another session holds it. */
export class DeviceBusy extends DeviceError {
  readonly retry = true;
}

/** It does not take the password or key, or there is none. */
export class SignInRejected extends DeviceError {
  readonly retry = false;
}

/** Its host key is not the one that is pinned: it was swapped, or another host is in between. */
export class HostKeyChanged extends DeviceError {
  readonly retry = false;
}

/** It understood and said no, or what it says makes no sense: a login page, an error text, a missing instance. */
export class DeviceRejected extends DeviceError {
  readonly retry = false;
}

/** More came after what looked like the prompt behind an answer: what was read is not all of it. */
export class AnswerCut extends DeviceError {
  readonly retry = true;
}

/** An answer mixes the configuration with messages, and the parts cannot be separated. */
export class AnswerUncertain extends DeviceError {
  readonly retry = true;
}

/** What a device sent cannot be kept: the disk of this computer is full or fails. It is no fault of the device. */
export class OutputNotStored extends Error {
  constructor(device: string, folder: string, cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause);
    super(`${device}: its output cannot be stored in ${folder}: ${why}`, { cause });
    this.name = 'OutputNotStored';
  }
}
