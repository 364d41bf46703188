/** Classifies failures of backups (`unreachable`, `auth`, `timeout`, …), and decides which are worth a retry. */
import type { FailureClass } from '@skolo/api';
import { errorText, NamedError, withoutName } from '@skolo/base';
import { SlowExpression } from '@skolo/base/described-expression';
import { SecretError } from '@skolo/base/secrets';
import { BackupError } from '@skolo/equipment/models/configuration';
import {
  AnswerCut,
  AnswerUncertain,
  DeviceBusy,
  DeviceRejected,
  DeviceTimeout,
  DeviceUnreachable,
  HostKeyChanged,
  OutputNotStored,
  SignInRejected,
} from '@skolo/equipment/transports';

/** Why there is no new version. The message begins with the device's name. */
export class BackupFailed extends NamedError {
  readonly failure: FailureClass;
  /** The message without the device's name. */
  readonly what: string;

  /** Fingerprint of a reading that was suspiciously small. */
  readonly suspect: string | undefined;

  constructor(
    device: string,
    failure: FailureClass,
    what: string,
    { suspect, cause }: { suspect?: string | undefined; cause?: unknown } = {},
  ) {
    super(`${device}: ${what}`, cause === undefined ? {} : { cause });
    this.failure = failure;
    this.what = what;
    this.suspect = suspect;
  }
}

/** Whether a retry a moment later may succeed. */
export const isWorthRetrying: Readonly<Record<FailureClass, boolean>> = {
  unreachable: true,
  timeout: true,
  busy: true,
  incomplete: true,
  // A daemon may be starting.
  partial: true,
  uncertain: true,
  storage: true,
  auth: false,
  'host-key': false,
  rejected: false,
  'suspiciously-small': false,
  'wrong-device': false,
  internal: false,
};

/** Any error of an attempt as one of ours. */
export function failureOf(device: string, error: unknown): BackupFailed {
  if (error instanceof BackupFailed) return error;
  const text = errorText(error);
  const what = withoutName(text, device);
  return new BackupFailed(device, classOf(error), what, { cause: error });
}

function classOf(error: unknown): FailureClass {
  // On a busy computer, an expression may take too long once.
  const cause = error instanceof DeviceRejected ? error.cause : error;
  if (cause instanceof SlowExpression) return 'timeout';
  if (error instanceof AnswerCut) return 'incomplete';
  if (error instanceof AnswerUncertain) return 'uncertain';
  if (error instanceof DeviceBusy) return 'busy';
  if (error instanceof DeviceTimeout) return 'timeout';
  if (error instanceof DeviceUnreachable) return 'unreachable';
  if (error instanceof HostKeyChanged) return 'host-key';
  if (error instanceof SignInRejected || error instanceof SecretError) return 'auth';
  if (error instanceof DeviceRejected) return 'rejected';
  if (error instanceof BackupError || error instanceof OutputNotStored) return 'storage';
  return 'internal';
}
