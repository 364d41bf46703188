import { expect, it } from 'vitest';
import { asBackupError } from './error.ts';

it.each([
  ['unreachable', [408, 429, 500, 502, 503, 504, 599]],
  ['rejected', [400, 401, 403, 409, 410, 412, 413, 499]],
])('Cloud Storage is %s with status %j', (code, statuses) => {
  for (const status of statuses) {
    const error = asBackupError('gs://backups', Object.assign(new Error('no'), { code: status }));

    expect([status, error.code]).toEqual([status, code]);
  }
});
