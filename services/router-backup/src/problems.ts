/** What went wrong, as an answer over HTTP. */

import { AuditUnavailable, HttpProblem, isStorageUnavailable } from '@skolo/common';
import { JournalDown } from '@skolo/durable';
import { BackupError } from '@skolo/models/configuration';
import { BackupFailed } from './failure.ts';

/** Throws the problem that an error is; others as they are. */
export function problemOf(error: unknown): never {
  if (error instanceof BackupError) {
    if (error.code === 'not-found') throw new HttpProblem(404, error.message, { cause: error });
    throw new HttpProblem(503, error.message, { cause: error });
  }
  if (error instanceof BackupFailed) {
    throw new HttpProblem(502, error.message, {
      cause: error,
      members: { failure: error.failure },
    });
  }
  if (
    isStorageUnavailable(error) ||
    error instanceof JournalDown ||
    error instanceof AuditUnavailable
  ) {
    throw new HttpProblem(503, `${error.message}; nothing was begun; /readyz says why`, {
      headers: { 'retry-after': '30' },
      cause: error,
    });
  }
  throw error;
}
