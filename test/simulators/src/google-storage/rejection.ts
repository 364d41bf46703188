/** Errors as the JSON API tells them: https://cloud.google.com/storage/docs/json_api/v1/status-codes */

export class Rejection extends Error {
  readonly status: number;
  readonly reason: string;
  readonly body: object | string;
  readonly headers: Record<string, string>;

  constructor(
    status: number,
    reason: string,
    message: string,
    more: Partial<RejectionDetails> = {},
  ) {
    super(message);
    this.name = 'Rejection';
    this.status = status;
    this.reason = reason;
    const { location, headers = {}, text = false } = more;
    const error = { message, domain: 'global', reason, ...location };
    this.body = text ? message : { error: { code: status, message, errors: [error] } };
    this.headers = headers;
  }
}

interface RejectionDetails {
  location: { locationType: string; location: string };
  headers: Record<string, string>;
  /** Plain text instead of JSON. */
  text: boolean;
}

/** What a caller may do to objects; roles/storage.objectUser has all of them. */
const permissions = [
  'storage.objects.create',
  'storage.objects.get',
  'storage.objects.list',
  'storage.objects.update',
  'storage.objects.delete',
] as const;
export type Permission = (typeof permissions)[number];

export function notSignedIn(hasToken: boolean): Rejection {
  const location = { locationType: 'header', location: 'Authorization' };
  const headers = { 'www-authenticate': 'Bearer realm="https://accounts.google.com/"' };
  return hasToken
    ? new Rejection(401, 'authError', 'Invalid Credentials', { location, headers })
    : new Rejection(
        401,
        'required',
        "Anonymous caller does not have storage.objects.list access to the Google Cloud Storage bucket. Permission 'storage.objects.list' denied on resource (or it may not exist).",
        { location, headers },
      );
}

export function forbidden(permission: Permission): Rejection {
  return new Rejection(
    403,
    'forbidden',
    `backups@my-project.iam.gserviceaccount.com does not have ${permission} access to the Google Cloud Storage object. Permission '${permission}' denied on resource (or it may not exist).`,
  );
}

export function noSuchBucket(): Rejection {
  return new Rejection(404, 'notFound', 'The specified bucket does not exist.');
}

export function noSuchObject(bucket: string, name: string): Rejection {
  return new Rejection(404, 'notFound', `No such object: ${bucket}/${name}`);
}

export function conditionNotMet(): Rejection {
  return new Rejection(
    412,
    'conditionNotMet',
    'At least one of the pre-conditions you specified did not hold.',
    { location: { locationType: 'header', location: 'If-Match' } },
  );
}

export function invalid(message: string): Rejection {
  return new Rejection(400, 'invalid', message);
}
