/** The router backup: asking for backups, what is known of each device, versions, differences, the way back. */
import { z } from 'zod';
import { hostKeyRoutes } from './host-keys.ts';
import { Problem } from './problem.ts';
import { route } from './route.ts';
import { Time } from './time.ts';

const maxDevices = 1000;

const deviceName = z
  .string()
  .min(1)
  .max(300)
  .meta({ description: 'a device of rack.yaml, or the jumphost', examples: ['switch-1'] });

const reason = z
  .string()
  .trim()
  .min(1)
  .max(1000)
  .meta({ description: 'for the history, and whoever looks at it next' });

/**
 * Why there is no new version.
 *
 * - `unreachable`: no connection, or it died. `timeout`: it fell silent, or had no time left; `detail` says what was waited for.
 * - `auth`: it does not take the password or key, or requests a new password. `host-key`: its host key is not the one that is pinned.
 * - `busy`: somebody else has it, or a power cycle was asked for; it is tried again.
 * - `refused`: it says no, or an error text came where the configuration should.
 * - `incomplete`: what came is not all of it.
 * - `uncertain`: log messages came in the middle of it, and no two readings agree on what is left; it is tried again.
 * - `suspiciously-small`: it lost more than `shrinkPercent`.
 * - `wrong-device`: serial number or host name are those of another one.
 * - `storage`: it was read, and could not be stored. `internal`: a fault of the service.
 */
export const FailureClass = z.enum([
  'unreachable',
  'timeout',
  'auth',
  'host-key',
  'busy',
  'refused',
  'incomplete',
  'uncertain',
  'suspiciously-small',
  'wrong-device',
  'storage',
  'internal',
]);
export type FailureClass = z.output<typeof FailureClass>;

/** What came of one device in one run. */
export const DeviceResult = z.enum(['changed', 'unchanged', 'failed', 'not-backed-up']);
export type DeviceResult = z.output<typeof DeviceResult>;

/** One version of the configuration of a device. */
export const BackupVersion = z
  .object({
    id: z.string().meta({ description: 'of the commit, or of the archive' }),
    device: z.string(),
    time: Time.meta({ description: 'when it was read' }),
    size: z.int().meta({ description: 'bytes, as the device gave them' }),
    sha1: z.string().optional().meta({ description: 'of the content; part of the name off site' }),
    model: z.string().optional(),
    run: z.string().optional(),
    by: z.string().optional().meta({ description: 'who asked, or `schedule`' }),
    reason: z.string().optional(),
    changedBy: z
      .string()
      .optional()
      .meta({ description: 'what the device itself says about who changed it' }),
    summary: z.string().optional().meta({ description: 'first line of the commit' }),
  })
  .meta({ id: 'BackupVersion' });
export type BackupVersion = z.output<typeof BackupVersion>;

/** A device in a run. */
export const RunDevice = z.object({
  device: z.string(),
  state: z.enum(['waiting', 'reading', 'done']),
  result: DeviceResult.optional(),
  failure: FailureClass.optional(),
  detail: z.string().optional().meta({ description: 'for people, without secrets' }),
  version: z.string().optional().meta({ description: 'the version that it is at now' }),
  unsaved: z.boolean().optional(),
  size: z.int().optional(),
  seconds: z.number().optional(),
});
export type RunDevice = z.output<typeof RunDevice>;

export const BackupRun = z
  .object({
    id: z.string(),
    origin: z.enum(['schedule', 'overdue', 'person', 'notice']),
    by: z.string(),
    reason: z.string().optional(),
    requestedAt: Time,
    finishedAt: Time.optional().meta({ description: 'absent: under way' }),
    devices: z.array(RunDevice),
  })
  .meta({ id: 'BackupRun' });
export type BackupRun = z.output<typeof BackupRun>;

/**
 * - `ok`: verified, and not overdue. `never`: not yet backed up. `overdue`: the last verified backup is too old.
 * - `failed`: the last attempt failed; `failure` says how. `not-backed-up`: it offers no export, or is left out.
 * - `retired`: it has left rack.yaml; its history stays.
 */
export const DeviceState = z.enum(['ok', 'never', 'failed', 'overdue', 'not-backed-up', 'retired']);
export type DeviceState = z.output<typeof DeviceState>;

export const BackupDevice = z
  .object({
    name: z.string(),
    model: z.string().optional(),
    state: DeviceState,
    why: z.string().optional().meta({ description: 'why it is not backed up' }),
    lastSuccess: Time.optional().meta({ description: 'last read completely, changed or not' }),
    lastAttempt: Time.optional(),
    failure: FailureClass.optional(),
    detail: z.string().optional(),
    failures: z.int().optional().meta({ description: 'attempts in a row that failed' }),
    hasTranscript: z.boolean().optional(),
    version: z.string().optional().meta({ description: 'the newest' }),
    changedAt: Time.optional().meta({ description: 'when the newest version was read first' }),
    size: z.int().optional(),
    versions: z.int(),
    unsaved: z
      .boolean()
      .optional()
      .meta({ description: 'it would boot with another configuration; absent: unknown' }),
    startup: z
      .string()
      .optional()
      .meta({ description: 'version of what it would boot with, where that is another one' }),
    legacyAlgorithms: z
      .array(z.string())
      .optional()
      .meta({ description: 'old algorithms of ssh that it was last read with; absent: no ssh' }),
    reading: z.boolean().meta({ description: 'now' }),
    offsite: z
      .enum(['stored', 'queued', 'none'])
      .meta({ description: 'whether the newest version has left the rack' }),
    retiredAt: Time.optional(),
  })
  .meta({ id: 'BackupDevice' });
export type BackupDevice = z.output<typeof BackupDevice>;

/** A place outside of the rack. */
export const OffsiteStatus = z
  .object({
    kind: z.enum(['upload', 'git']),
    url: z.string().meta({ description: 'without secrets' }),
    queued: z.int(),
    lastSuccess: Time.optional(),
    problem: z.string().optional(),
  })
  .meta({ id: 'OffsiteStatus' });
export type OffsiteStatus = z.output<typeof OffsiteStatus>;

/** A version that the service knows of, whether or not it still has it. */
const KnownVersion = z.object({ id: z.string(), time: Time, sha1: z.string().optional() });

/** Versions of a device that were in the history, and are in it no more. */
export const LostHistory = z
  .object({
    device: z.string(),
    since: Time.meta({ description: 'when it was noticed' }),
    versions: z.int().optional().meta({ description: 'how many there were; absent: unknown' }),
    newest: KnownVersion.optional().meta({ description: 'absent: unknown' }),
    unsent: z
      .array(KnownVersion)
      .meta({ description: 'those that had not arrived in any place off site' }),
  })
  .meta({ id: 'LostHistory' });
export type LostHistory = z.output<typeof LostHistory>;

/** Bytes of a history in one request at most. */
export const historyPieceBytes = 512 * 1024;

const device = z.object({ device: deviceName });
const deviceVersion = z.object({
  device: deviceName,
  version: z.string().min(1).max(100).meta({
    description:
      '`latest`, `latest~1` (the one before), `startup` (what it would boot with), an id or its first digits (four or more), or a date or time: what was in force then',
  }),
});
const secrets = z
  .enum(['true', 'false'])
  .default('false')
  .meta({ description: '`true` shows secrets, to an admin' });

export const RestoreStep = z.object({
  title: z.string().meta({ description: 'what it does, for people' }),
  where: z.enum(['device', 'desk']).meta({ description: 'where the lines are typed' }),
  lines: z.array(z.string()),
});
export type RestoreStep = z.output<typeof RestoreStep>;

export const routerBackupApi = {
  requestBackup: route({
    method: 'post',
    path: '/v1/backups',
    summary: 'Asks for a backup of these devices, or of all',
    role: 'operate',
    body: z.strictObject({
      devices: z.array(deviceName).min(1).max(maxDevices).optional(),
      reason: reason.optional(),
    }),
    audits: { target: ['body.devices'], reason: 'body.reason', answer: ['id'] },
    answers: { 202: BackupRun, 404: Problem, 503: Problem },
  }),
  backups: route({
    method: 'get',
    path: '/v1/backups',
    summary: 'Runs, the newest first',
    role: 'view',
    query: z.strictObject({ limit: z.coerce.number().int().min(1).max(1000).default(20) }),
    answers: { 200: z.object({ backups: z.array(BackupRun) }) },
  }),
  backup: route({
    method: 'get',
    path: '/v1/backups/{id}',
    summary: 'One run, device by device',
    role: 'view',
    params: z.object({ id: z.string().min(1).max(100) }),
    answers: { 200: BackupRun, 404: Problem },
  }),
  devices: route({
    method: 'get',
    path: '/v1/devices',
    summary: 'Every device: when it was last backed up, what failed, whether it is saved',
    role: 'view',
    query: z.strictObject({ retired: z.enum(['true', 'false']).default('true') }),
    answers: {
      200: z.object({
        devices: z.array(BackupDevice),
        offsite: z.array(OffsiteStatus),
        lost: z
          .array(LostHistory)
          .default([])
          .meta({ description: 'neither restored nor accepted; empty: nothing' }),
      }),
    },
  }),
  device: route({
    method: 'get',
    path: '/v1/devices/{device}',
    summary: 'One device',
    role: 'view',
    params: device,
    answers: { 200: BackupDevice, 404: Problem },
  }),
  versions: route({
    method: 'get',
    path: '/v1/devices/{device}/versions',
    summary: 'Its versions, the newest first',
    role: 'view',
    params: device,
    query: z.strictObject({ limit: z.coerce.number().int().min(1).max(10_000).default(100) }),
    answers: { 200: z.object({ versions: z.array(BackupVersion) }), 404: Problem, 503: Problem },
  }),
  content: route({
    method: 'get',
    path: '/v1/devices/{device}/versions/{version}/content',
    summary:
      'One version: masked text, or with secrets (role admin) byte for byte what the device gave',
    description: 'The headers `x-skolo-version` and `x-skolo-sha1` name it.',
    role: 'view',
    params: deviceVersion,
    query: z.strictObject({ secrets }),
    types: ['text/plain; charset=utf-8', 'application/octet-stream'],
    answers: { 200: undefined, 403: Problem, 404: Problem, 409: Problem, 503: Problem },
  }),
  diff: route({
    method: 'get',
    path: '/v1/devices/{device}/diff',
    summary: 'What changed from one version to another, as a unified diff',
    role: 'view',
    params: device,
    query: z.strictObject({
      from: z.string().min(1).max(100).default('latest~1'),
      to: z.string().min(1).max(100).default('latest'),
      secrets,
    }),
    answers: {
      200: z.object({
        from: BackupVersion,
        to: BackupVersion,
        diff: z.string().meta({ description: 'empty: the same' }),
      }),
      403: Problem,
      404: Problem,
      409: Problem,
      503: Problem,
    },
  }),
  transcript: route({
    method: 'get',
    path: '/v1/devices/{device}/transcript',
    summary: 'What was said in the last attempt that failed, secrets masked',
    role: 'view',
    params: device,
    answers: { 200: z.object({ at: Time, transcript: z.string() }), 404: Problem },
  }),
  restoreSteps: route({
    method: 'get',
    path: '/v1/devices/{device}/versions/{version}/restore',
    summary: 'How a version is brought back by hand, in text that the device accepts',
    description: 'The text holds the secrets of the configuration.',
    role: 'admin',
    params: deviceVersion,
    answers: {
      200: z.object({
        version: BackupVersion,
        comment: z.string().meta({ description: 'what begins a comment on this device' }),
        steps: z.array(RestoreStep),
        canApply: z.boolean(),
        canCheck: z.boolean(),
      }),
      404: Problem,
      409: Problem,
      503: Problem,
    },
  }),
  checkRestore: route({
    method: 'post',
    path: '/v1/devices/{device}/versions/{version}/check',
    summary: 'Rehearses a restore, as far as the model can, and changes nothing',
    description: 'Reads the device as it is now: `running` names that state for `restore`.',
    role: 'admin',
    params: deviceVersion,
    audits: {
      target: ['params.device', 'params.version'],
      answer: ['rehearsed', 'accepted', 'running'],
    },
    answers: {
      200: z.object({
        version: BackupVersion,
        running: z.string().meta({ description: 'digest of what the device has now' }),
        diff: z.string().meta({ description: 'from what it has now to the version; masked' }),
        rehearsed: z.boolean().meta({ description: 'false: the model has no way to' }),
        accepted: z.boolean().optional(),
        said: z.string().optional().meta({ description: 'what the device said to it' }),
        canApply: z.boolean(),
      }),
      404: Problem,
      409: Problem,
      502: Problem,
      503: Problem,
    },
  }),
  restore: route({
    method: 'post',
    path: '/v1/devices/{device}/versions/{version}/restore',
    summary: 'Loads a version into the device, where the model has a safe way',
    role: 'admin',
    params: deviceVersion,
    body: z.strictObject({
      running: z.string().meta({ description: 'as `check` gave it: nothing has changed since' }),
      reason,
    }),
    audits: {
      target: ['params.device', 'params.version'],
      reason: 'body.reason',
      input: ['body.running'],
      answer: ['restored'],
    },
    answers: {
      200: z.object({
        version: BackupVersion,
        restored: z.boolean(),
        remaining: z
          .string()
          .meta({ description: 'difference that is left, masked; empty: exactly the version' }),
        steps: z.array(z.string()).meta({ description: 'what was done, in order' }),
      }),
      404: Problem,
      409: Problem,
      502: Problem,
      503: Problem,
    },
  }),
  receiveHistory: route({
    method: 'post',
    path: '/v1/history/pieces',
    summary: 'Takes a piece of a history that is to be restored',
    description:
      'A history is a git bundle of the branch `main`, sent in order. A piece at 0 begins again. `skolo backup restore-history` makes and sends one.',
    role: 'admin',
    audits: { target: 'self', input: ['body.offset'], omits: ['body.data'], answer: ['size'] },
    body: z.strictObject({
      offset: z.int().min(0),
      data: z.base64().max(Math.ceil(historyPieceBytes / 3) * 4),
    }),
    answers: { 200: z.object({ size: z.int() }), 409: Problem, 503: Problem },
  }),
  restoreHistory: route({
    method: 'post',
    path: '/v1/history/restore',
    summary: 'Puts the history that was sent in the place of the present one',
    description: 'What was stored since the loss is appended to it. No version is removed.',
    role: 'admin',
    body: z.strictObject({
      sha256: z.string().regex(/^[0-9a-f]{64}$/, 'the SHA-256 of what was sent, in hex'),
      reason,
    }),
    audits: {
      target: 'self',
      reason: 'body.reason',
      input: ['body.sha256'],
      answer: ['devices', 'versions'],
    },
    answers: {
      200: z.object({
        devices: z.int(),
        versions: z.int(),
        lost: z.array(LostHistory).meta({ description: 'what the copy does not have' }),
      }),
      409: Problem,
      503: Problem,
    },
  }),
  acceptLoss: route({
    method: 'post',
    path: '/v1/history/accept',
    summary: 'Gives up what is lost: it is reported no longer',
    role: 'admin',
    body: z.strictObject({ reason }),
    audits: { target: 'self', reason: 'body.reason', answer: ['accepted'] },
    answers: { 200: z.object({ accepted: z.array(LostHistory) }), 503: Problem },
  }),
  ...hostKeyRoutes(
    'Forgets host key, serial number and host name of a device that was swapped; the next ones seen are pinned',
  ),
};
