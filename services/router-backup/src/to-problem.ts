/** Errors of the service's parts as problems over HTTP. */

import { AuditUnavailable, HttpProblem } from '@skolo/common';
import { JournalDown, StorageUnavailable } from '@skolo/durable';
import { BackupError } from '@skolo/models/configuration';
import { BackupFailed } from './read/failure.ts';

/** Throws the problem for an error; throws other errors as they are. */
export function throwProblem(cause: unknown): never {
  if (cause instanceof BackupError) {
    throw new HttpProblem(cause.code === 'not-found' ? 404 : 503, cause.message, { cause });
  }
  if (cause instanceof BackupFailed) {
    throw new HttpProblem(502, cause.message, { cause, members: { failure: cause.failure } });
  }
  if (
    cause instanceof StorageUnavailable ||
    cause instanceof JournalDown ||
    cause instanceof AuditUnavailable
  ) {
    const headers = { 'retry-after': '30' };
    throw new HttpProblem(503, `${cause.message}; nothing was begun; /readyz says why`, {
      headers,
      cause,
    });
  }
  throw cause;
}
