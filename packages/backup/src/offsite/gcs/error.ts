/** Turns errors of Google's storage, its client or the network into errors for people, such as rejected credentials or a missing bucket. */
import { errorText, parseJson } from '@skolo/base';
import { networkReason } from '@skolo/base/internet';
import { BackupError } from '@skolo/equipment/models/configuration';

const role =
  'grant the account the Storage Object User role (roles/storage.objectUser) on the bucket';

/** HTTP status; undefined without a response. */
export function statusOf(error: unknown): number | undefined {
  for (const key of ['code', 'status'] as const) {
    const value = field(error, key);
    const status = typeof value === 'string' && /^\d{3}$/.test(value) ? Number(value) : value;
    if (typeof status === 'number') return status;
  }
  const response = field(error, 'response');
  return response === undefined ? undefined : statusOf(response);
}

/** The client's errors contain requests with their tokens, so messages are composed here. */
export function asBackupError(place: string, error: unknown): BackupError {
  if (error instanceof BackupError) return error;
  const status = statusOf(error);
  const said = saidBy(error);
  if (status === 401) {
    return new BackupError('rejected', `${place}: the credentials were rejected: ${said}`);
  }
  if (status === 403) return new BackupError('rejected', `${place}: ${said}; ${role}`);
  if (status === 404 && /bucket does not exist/i.test(said)) {
    return new BackupError('rejected', `${place}: the bucket does not exist`);
  }
  if (status === 404) return new BackupError('not-found', `${place}: ${said}`);
  if (status === 400 && /doesn't match calculated/.test(said)) {
    return new BackupError(
      'damaged',
      `${place}: Cloud Storage received content that differs from what was sent`,
    );
  }
  if (status === 412) {
    return new BackupError('rejected', `${place}: another client is writing the same object`);
  }
  if (status !== undefined) {
    const isTransient = status >= 500 || status === 408 || status === 429;
    const code = isTransient ? 'unreachable' : 'rejected';
    return new BackupError(code, `${place}: status ${status}: ${said}`);
  }
  return new BackupError('unreachable', `${place}: ${networkReason(error) ?? said}`);
}

/** On one line, without the URL, which may contain an upload session. */
function saidBy(error: unknown): string {
  const text = apiMessage(error) ?? errorText(error);
  const line = text
    .replaceAll(/https?:\/\/\S+/g, '…')
    .replaceAll(/\s+/g, ' ')
    .trim();
  return /<html|<!doctype/i.test(line) ? 'an HTML page' : line.slice(0, 300);
}

/** The JSON API's own message, for a request that the client did not translate. */
function apiMessage(error: unknown): string | undefined {
  const data =
    field(field(error, 'response'), 'data') ??
    // For a rejected download, the client uses the whole body as the message.
    (error instanceof Error ? parseJson(error.message) : undefined);
  const message = field(field(data, 'error'), 'message');
  return typeof message === 'string' ? message : undefined;
}

function field(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.entries(Object.getOwnPropertyDescriptors(value)).find(([name]) => name === key)?.[1]
    .value;
}
