/**
 * Enrolment: Raspberry Pis with a shared image ask machine-state for their identity, over TLS on a separate port. A Pi pins the endpoint's
 * public key, and authenticates with a certificate of its own key. Responses are lines for a shell.
 */
import { z } from 'zod';
import { Problem } from './route/problem.ts';
import { route } from './route/route.ts';
import { Time } from './time.ts';

const name = z.string().min(1).max(200);
const serial = z.string().regex(/^[0-9a-f]{16}$/, 'is not a board serial number');
const mac = z.string().regex(/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/, 'is not a MAC address');
/** SHA-256 of a Pi's public key, as DER-encoded SPKI. */
const key = z.string().regex(/^[0-9a-f]{64}$/, 'is not a key digest');

/** Overwritten with the digest of the caller's key, whatever the caller sent. */
export const keyHeader = 'x-skolo-key';
const ownKey = z.object({ [keyHeader]: key });

/** Pairing records of tens of iPhones, compressed. Bytes. */
export const mostLockdownBytes = 256 * 1024;

export const EnrolRequest = z.strictObject({
  serial,
  macs: z.array(mac).max(16),
  model: z.string().max(100),
  secret: z
    .string()
    .max(200)
    .optional()
    .describe("the image's secret; not required if the key is enrolled"),
});
export type EnrolRequest = z.output<typeof EnrolRequest>;

const lines = ['text/plain'] as const;

/** Requests of Pis, on the enrolment port. */
export const enrolmentApi = {
  enrol: route({
    method: 'post',
    path: '/v1/enrol',
    summary: 'Requests the identity of this Raspberry Pi',
    repeated: 'returns the same name and address for a key',
    role: 'anyone',
    description:
      'A 200 response contains the lines `name=`, `address=` (absent for DHCP) and `token=` (for k3s). A 202 response contains the reason why enrolment is pending; the Pi then retries.',
    headers: ownKey,
    body: EnrolRequest,
    audits: { elsewhere: 'recorded as a note on the machine that receives the name' },
    types: lines,
    answers: { 200: undefined, 202: undefined, 403: Problem, 503: Problem },
  }),
  lockdown: route({
    method: 'get',
    path: '/v1/lockdown',
    summary: 'Returns the pairing records that the machine with this key has stored',
    role: 'anyone',
    headers: ownKey,
    types: ['application/octet-stream'],
    answers: { 200: undefined, 403: Problem, 404: Problem },
  }),
  storeLockdown: route({
    role: 'anyone',
    method: 'put',
    path: '/v1/lockdown',
    summary:
      'Stores the pairing records (an archive of /var/lib/lockdown) of the machine with this key',
    repeated: 'no change',
    headers: ownKey,
    body: z.strictObject({ archive: z.base64() }),
    mostBodyBytes: mostLockdownBytes * 1.4,
    audits: {
      elsewhere: 'not recorded, because a machine can change only its own pairing records',
    },
    answers: { 204: undefined, 403: Problem, 503: Problem },
  }),
};

/** Why a Pi is waiting. */
export const WaitCode = z
  .enum([
    'unknown',
    'conflict',
    'copied',
    'rivals',
    'taken',
    'alive',
    'expired',
    'clock',
    'cluster',
  ])
  .describe(
    'Pis with the code `clock` or `cluster` enrol automatically once the cause is fixed; those with any other code need attention. `taken` means that another SD card has this name, and that the machine with that card is off.',
  );
export type WaitCode = z.output<typeof WaitCode>;

export const WaitingPi = z
  .object({
    key,
    serial,
    macs: z.array(mac),
    model: z.string(),
    from: z.string().describe('address'),
    since: Time,
    lastAsked: Time,
    code: WaitCode,
    why: z.string(),
    name: name.optional().describe('machine that this Pi may be'),
  })
  .meta({ id: 'WaitingPi' });
export type WaitingPi = z.output<typeof WaitingPi>;

export const EnrolledPi = z
  .object({
    name,
    key,
    serial,
    macs: z
      .array(mac)
      .describe(
        'MAC addresses that the board reported when its key received its first name; later ones are ignored',
      ),
    at: Time.describe('when the Pi received the name'),
    by: z
      .string()
      .optional()
      .describe(
        'who assigned the name; absent if the name was assigned automatically, according to rack.yaml',
      ),
  })
  .meta({ id: 'EnrolledPi' });
export type EnrolledPi = z.output<typeof EnrolledPi>;

export const RevokedPi = z
  .object({
    key,
    name: name.optional().describe('name that the SD card had'),
    serial: serial.optional(),
    at: Time,
    by: z.string(),
  })
  .meta({ id: 'RevokedPi' });
export type RevokedPi = z.output<typeof RevokedPi>;

export const EnrolmentSecret = z
  .object({ id: z.string(), by: z.string(), at: Time, expires: Time })
  .meta({ id: 'EnrolmentSecret' });
export type EnrolmentSecret = z.output<typeof EnrolmentSecret>;

/** Requests of operators, on machine-state's port. */
export const enrolmentsApi = {
  enrolments: route({
    method: 'get',
    path: '/v1/enrolments',
    summary: 'Lists pending enrolment requests, enrolled Raspberry Pis and revoked keys',
    role: 'view',
    answers: {
      200: z.object({
        waiting: z.array(WaitingPi),
        enrolled: z.array(EnrolledPi),
        revoked: z.array(RevokedPi),
        secrets: z.array(EnrolmentSecret),
      }),
      503: Problem,
    },
  }),
  adopt: route({
    method: 'post',
    path: '/v1/enrolments',
    summary: 'Assigns a name to a Raspberry Pi with a pending enrolment request',
    repeated: '201 while the enrolment is pending; 404 once the Pi has its name',
    description:
      'The Pi receives the name in response to its next request. `force` assigns the name even if a running machine has it.',
    role: 'operate',
    body: z.strictObject({
      key,
      name,
      reason: z.string().trim().min(1).max(1000),
      force: z.boolean().default(false),
    }),
    audits: {
      target: ['body.name'],
      reason: 'body.reason',
      input: ['body.key', 'body.force'],
      answer: ['serial'],
    },
    answers: { 201: WaitingPi, 404: Problem, 409: Problem, 503: Problem },
  }),
  revokeKey: route({
    method: 'delete',
    path: '/v1/enrolments/{key}',
    summary:
      "Revokes an SD card's key permanently: the card no longer receives a name, a token or pairing records",
    repeated: '200: the key remains revoked',
    description: "The name becomes available for the machine's next SD card.",
    role: 'operate',
    params: z.object({ key }),
    audits: { target: ['params.key'], answer: ['name', 'serial'] },
    answers: { 200: RevokedPi, 404: Problem, 503: Problem },
  }),
  newEnrolmentSecret: route({
    method: 'post',
    path: '/v1/enrolment-secrets',
    summary:
      "Creates the credentials for a shared image: a secret, which expires and is returned only once, and the endpoint's pin",
    repeated: 'creates a second secret; the first remains valid',
    role: 'operate',
    body: z.strictObject({ days: z.int().min(1).max(366).default(30) }),
    audits: { target: 'self', input: ['body.days'], answer: ['id', 'expires'] },
    answers: {
      201: EnrolmentSecret.extend({
        secret: z.string(),
        port: z.int(),
        pin: z
          .string()
          .describe("pin of the endpoint's public key: `sha256//…`, as curl expects it"),
      }),
      503: Problem,
    },
  }),
  revokeEnrolmentSecret: route({
    method: 'delete',
    path: '/v1/enrolment-secrets/{id}',
    summary: "Revokes a shared image's secret",
    repeated: '404',
    role: 'operate',
    params: z.object({ id: z.string().min(1).max(100) }),
    audits: { target: ['params.id'] },
    answers: { 204: undefined, 404: Problem, 503: Problem },
  }),
};
