/** The API of the router backup: runs, equipment, versions, restore. */
import { z } from 'zod';
import { hostKeyRoutes } from './host-keys.ts';
import { Problem } from './route/problem.ts';
import { route } from './route/route.ts';
import { Time } from './time.ts';

const maxNames = 1000;

const equipmentName = z
  .string()
  .min(1)
  .max(300)
  .meta({ description: 'equipment in rack.yaml, or the jumphost', examples: ['switch-1'] });

const reason = z
  .string()
  .trim()
  .min(1)
  .max(1000)
  .describe('reason to record in the history, for other operators');

/**
 * Why there is no new version.
 *
 * - `unreachable`: no connection, or it broke. `timeout`: it was silent, or no time was left; `detail` says what the service waited
 *   for.
 * - `auth`: it rejects the password or key, or requires a new password. `host-key`: its host key is not the pinned one.
 * - `busy`: another session or a power cycle uses it; the service retries.
 * - `rejected`: it rejects a command, or sends an error instead of the configuration.
 * - `incomplete`: a part of the configuration is missing.
 * - `partial`: the equipment does not show all of it to the login, or a daemon that knows a part does not run.
 * - `uncertain`: log messages interrupt the configuration, and no two readings agree; the service retries.
 * - `suspiciously-small`: it shrank by more than `shrinkPercent`.
 * - `wrong-device`: the serial number or host name is that of other equipment. The name is also a label of metrics and in the journal.
 * - `storage`: the configuration was read, but not stored. `internal`: an error in the service.
 */
export const FailureClass = z.enum([
  'unreachable',
  'timeout',
  'auth',
  'host-key',
  'busy',
  'rejected',
  'incomplete',
  'partial',
  'uncertain',
  'suspiciously-small',
  'wrong-device',
  'storage',
  'internal',
]);
export type FailureClass = z.output<typeof FailureClass>;

/** What came of one name in a run. */
export const RunResult = z.enum(['changed', 'unchanged', 'failed', 'not-backed-up']);
export type RunResult = z.output<typeof RunResult>;

/** One version of a configuration. */
export const BackupVersion = z
  .object({
    id: z.string().describe('ID of the commit or archive'),
    equipment: z.string(),
    time: Time.describe('when the version was read'),
    size: z
      .int()
      .optional()
      .describe(
        'size in bytes of the text with masked secrets, or of the encrypted archive; absent if it was not measured',
      ),
    model: z.string().optional(),
    run: z.string().optional(),
    by: z.string().optional().describe('requester, or `schedule`'),
    reason: z.string().optional(),
    changedBy: z
      .string()
      .optional()
      .describe('user who changed the configuration, as reported by the equipment'),
    partial: z.string().optional().describe('why it is only a part of the configuration'),
    summary: z.string().optional().describe('first line of the commit message'),
  })
  .meta({ id: 'BackupVersion' });
export type BackupVersion = z.output<typeof BackupVersion>;

/** Equipment in a run. */
export const RunEquipment = z.object({
  equipment: z.string(),
  state: z.enum(['waiting', 'reading', 'done']),
  result: RunResult.optional(),
  failure: FailureClass.optional(),
  detail: z.string().optional().describe('error message, without secrets'),
  version: z.string().optional().describe('current version'),
  unsaved: z.boolean().optional(),
  size: z.int().optional(),
  seconds: z.number().optional(),
});
export type RunEquipment = z.output<typeof RunEquipment>;

export const BackupRun = z
  .object({
    id: z.string(),
    origin: z.enum(['schedule', 'overdue', 'person', 'notice']),
    by: z.string(),
    reason: z.string().optional(),
    requestedAt: Time,
    finishedAt: Time.optional().describe('absent while the run is in progress'),
    equipment: z.array(RunEquipment),
  })
  .meta({ id: 'BackupRun' });
export type BackupRun = z.output<typeof BackupRun>;

/**
 * - `ok`: verified, and not overdue. `never`: not yet backed up. `overdue`: the last verified backup is too old.
 * - `failed`: the last attempt failed; `failure` has the class. `not-backed-up`: it has no export, or rack.yaml excludes it.
 * - `retired`: it is no longer in rack.yaml; its history remains.
 */
export const BackupState = z.enum(['ok', 'never', 'failed', 'overdue', 'not-backed-up', 'retired']);
export type BackupState = z.output<typeof BackupState>;

export const BackupEquipment = z
  .object({
    name: z.string(),
    model: z.string().optional(),
    state: BackupState,
    why: z.string().optional().describe('why it is not backed up'),
    lastSuccess: Time.optional().describe(
      'when it was last backed up successfully, even if its configuration had not changed',
    ),
    lastAttempt: Time.optional(),
    failure: FailureClass.optional(),
    detail: z.string().optional(),
    failures: z.int().optional().describe('number of consecutive failed attempts'),
    hasTranscript: z.boolean().optional(),
    version: z.string().optional().describe('newest version'),
    changedAt: Time.optional().describe('when the newest version was first read'),
    size: z.int().optional(),
    versions: z.int().optional().describe('absent if the history cannot be used now'),
    unsaved: z
      .boolean()
      .optional()
      .describe(
        'whether the running configuration differs from the one that is used at the next boot; absent if unknown',
      ),
    startup: z
      .string()
      .optional()
      .describe(
        'version that matches the startup configuration, if a reboot would load a different one',
      ),
    partial: z.string().optional().describe('why the last backup is only a part'),
    unseen: z
      .string()
      .optional()
      .describe(
        'why the equipment did not show its serial number or startup configuration, of which older values are known, or whether the login is shown everything',
      ),
    doubt: z
      .string()
      .optional()
      .describe('why nothing shows that the last backup is a configuration, and not a message'),
    legacyAlgorithms: z
      .array(z.string())
      .optional()
      .describe('outdated SSH algorithms used in the last session; absent for other protocols'),
    reading: z.boolean().describe('whether it is currently being read'),
    offsite: z
      .enum(['stored', 'queued', 'none'])
      .describe('whether the newest version is stored off site'),
    retiredAt: Time.optional(),
  })
  .meta({ id: 'BackupEquipment' });
export type BackupEquipment = z.output<typeof BackupEquipment>;

/** An off-site location. */
export const OffsiteStatus = z
  .object({
    kind: z.enum(['upload', 'git']),
    url: z.string().describe('without secrets'),
    queued: z.int(),
    lastSuccess: Time.optional(),
    problem: z.string().optional(),
  })
  .meta({ id: 'OffsiteStatus' });
export type OffsiteStatus = z.output<typeof OffsiteStatus>;

/** A version that the service knows, stored or lost. */
const KnownVersion = z.object({ id: z.string(), time: Time });

/** Versions that the history has lost. */
export const LostHistory = z
  .object({
    equipment: z.string(),
    since: Time.describe('when the loss was detected'),
    versions: z.int().optional().describe('number of lost versions; absent if unknown'),
    newest: KnownVersion,
    unsent: z.array(KnownVersion).describe('lost versions that were not stored off site'),
  })
  .meta({ id: 'LostHistory' });
export type LostHistory = z.output<typeof LostHistory>;

/** Maximum size of a history in one request, in bytes. */
export const historyPieceBytes = 512 * 1024;

/** A network card that a switch or router has seen. */
export const ConnectedHost = z
  .object({
    mac: z.string().regex(/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/),
    port: z.string().optional().describe('name of the port in rack.yaml, or of a LAG or bridge'),
    vlan: z.string().optional(),
    address: z.string().optional(),
    hostname: z.string().optional().describe('host name in a DHCP lease'),
    source: z
      .enum(['mac-table', 'arp', 'lease'])
      .describe('source of the entry; only `mac-table` identifies the port reliably'),
  })
  .meta({ id: 'ConnectedHost' });
export type ConnectedHost = z.output<typeof ConnectedHost>;

/** Hosts and links at the ports of one switch or router, read just now. */
export const ConnectedHosts = z
  .object({
    equipment: z.string(),
    readAt: Time,
    hosts: z.array(ConnectedHost).max(100_000),
    ports: z
      .array(
        z.object({ name: z.string(), up: z.boolean().describe('whether the port has a link') }),
      )
      .max(10_000),
    own: z.array(z.string()).describe('MAC addresses of the switch or router itself'),
    unread: z
      .array(z.object({ command: z.string(), lines: z.int().min(1), first: z.string() }))
      .optional()
      .describe('lines of its output that skolo does not understand: by command, with the first'),
  })
  .meta({ id: 'ConnectedHosts' });
export type ConnectedHosts = z.output<typeof ConnectedHosts>;

const equipment = z.object({ equipment: equipmentName });
const equipmentVersion = z.object({
  equipment: equipmentName,
  version: z
    .string()
    .min(1)
    .max(100)
    .describe(
      '`latest`, `latest~1` (the previous version), `startup` (the version used at the next boot), an ID (at least four characters), or a date or time when the version was active',
    ),
});
const secrets = z
  .enum(['true', 'false'])
  .default('false')
  .describe('`true` includes secrets, which requires the admin role');

export const RestoreStep = z.object({
  title: z.string().describe('purpose of the step'),
  where: z.enum(['equipment', 'workstation']).describe('where to enter the lines'),
  lines: z.array(z.string()),
});
export type RestoreStep = z.output<typeof RestoreStep>;

export const routerBackupApi = {
  requestBackup: route({
    method: 'post',
    path: '/v1/backups',
    summary: 'Requests a backup of the specified equipment, or of all equipment',
    repeated:
      'starts a second run, which rereads the equipment, but does not store unchanged configurations',
    role: 'operate',
    body: z.strictObject({
      equipment: z.array(equipmentName).min(1).max(maxNames).optional(),
      reason: reason.optional(),
    }),
    audits: { target: ['body.equipment'], reason: 'body.reason', answer: ['id'] },
    answers: { 202: BackupRun, 404: Problem, 503: Problem },
  }),
  backups: route({
    method: 'get',
    path: '/v1/backups',
    summary: 'Lists runs, newest first',
    role: 'view',
    query: z.strictObject({ limit: z.coerce.number().int().min(1).max(1000).default(20) }),
    answers: { 200: z.object({ backups: z.array(BackupRun) }) },
  }),
  backup: route({
    method: 'get',
    path: '/v1/backups/{id}',
    summary: 'Returns a run with its results',
    role: 'view',
    params: z.object({ id: z.string().min(1).max(100) }),
    answers: { 200: BackupRun, 404: Problem },
  }),
  allEquipment: route({
    method: 'get',
    path: '/v1/equipment',
    summary: 'Lists equipment with its backups, and off-site locations',
    role: 'view',
    query: z.strictObject({ retired: z.enum(['true', 'false']).default('true') }),
    answers: {
      200: z.object({
        equipment: z.array(BackupEquipment),
        offsite: z.array(OffsiteStatus),
        lost: z
          .array(LostHistory)
          .default([])
          .describe('lost versions that have been neither restored nor accepted as lost'),
      }),
    },
  }),
  equipment: route({
    method: 'get',
    path: '/v1/equipment/{equipment}',
    summary: 'Returns the backup of one switch, router or PDU',
    role: 'view',
    params: equipment,
    answers: { 200: BackupEquipment, 404: Problem },
  }),
  connectedHosts: route({
    method: 'get',
    path: '/v1/equipment/{equipment}/connected-hosts',
    summary: 'Lists the hosts connected to a switch or router, as read from it',
    description:
      'MAC table, links, ARP table and DHCP leases, as far as the model supports them. Concurrent requests for it share one reading. A power cycle has priority.',
    role: 'view',
    limit: 'readings',
    params: equipment,
    answers: { 200: ConnectedHosts, 404: Problem, 409: Problem, 502: Problem, 503: Problem },
  }),
  versions: route({
    method: 'get',
    path: '/v1/equipment/{equipment}/versions',
    summary: 'Lists the versions of a configuration, newest first',
    role: 'view',
    params: equipment,
    query: z.strictObject({ limit: z.coerce.number().int().min(1).max(10_000).default(100) }),
    answers: { 200: z.object({ versions: z.array(BackupVersion) }), 404: Problem, 503: Problem },
  }),
  content: route({
    method: 'get',
    path: '/v1/equipment/{equipment}/versions/{version}/content',
    summary:
      'Returns the content of a version: text with masked secrets or, with `secrets`, the exact bytes that were read',
    description:
      'The header `x-skolo-version` identifies the version. With `secrets`, `x-skolo-sha1` contains the SHA-1 of its content.',
    role: 'view',
    limit: 'texts',
    params: equipmentVersion,
    query: z.strictObject({ secrets }),
    types: ['text/plain; charset=utf-8', 'application/octet-stream'],
    answers: { 200: undefined, 403: Problem, 404: Problem, 409: Problem, 503: Problem },
  }),
  diff: route({
    method: 'get',
    path: '/v1/equipment/{equipment}/diff',
    summary: 'Returns the changes between two versions as a unified diff',
    role: 'view',
    limit: 'texts',
    params: equipment,
    query: z.strictObject({
      from: z.string().min(1).max(100).default('latest~1'),
      to: z.string().min(1).max(100).default('latest'),
      secrets,
    }),
    answers: {
      200: z.object({
        from: BackupVersion,
        to: BackupVersion,
        diff: z.string().describe('empty if there are no differences'),
      }),
      403: Problem,
      404: Problem,
      409: Problem,
      503: Problem,
    },
  }),
  transcript: route({
    method: 'get',
    path: '/v1/equipment/{equipment}/transcript',
    summary: 'Returns the session of the last failed attempt, with masked secrets',
    role: 'view',
    params: equipment,
    answers: { 200: z.object({ at: Time, transcript: z.string() }), 404: Problem },
  }),
  restoreSteps: route({
    method: 'get',
    path: '/v1/equipment/{equipment}/versions/{version}/restore',
    summary: 'Returns the steps to restore a version manually, as text that the equipment accepts',
    description: "The text contains the configuration's secrets.",
    role: 'admin',
    params: equipmentVersion,
    answers: {
      200: z.object({
        version: BackupVersion,
        comment: z
          .string()
          .describe('comment prefix of this model; empty if it does not support comments'),
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
    path: '/v1/equipment/{equipment}/versions/{version}/check',
    summary: 'Checks a restore as far as the model supports this, without changing anything',
    repeated: 'checks again without changing anything',
    description:
      'Reads the current configuration. In the response, `running` identifies this configuration for `restore`.',
    role: 'admin',
    params: equipmentVersion,
    audits: {
      target: ['params.equipment', 'params.version'],
      answer: ['rehearsed', 'accepted', 'running'],
    },
    answers: {
      200: z.object({
        version: BackupVersion,
        running: z.string().describe('keyed digest of the current configuration'),
        diff: z
          .string()
          .describe('diff from the current configuration to the version, with masked secrets'),
        rehearsed: z.boolean().describe('whether the equipment itself has checked the version'),
        accepted: z.boolean().optional(),
        said: z.string().optional().describe('output of the equipment'),
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
    path: '/v1/equipment/{equipment}/versions/{version}/restore',
    summary: 'Loads a version into the equipment, if the model supports a safe restore',
    repeated:
      '409 if the first request changed the configuration, because `running` is then outdated',
    role: 'admin',
    params: equipmentVersion,
    body: z.strictObject({
      running: z
        .string()
        .describe(
          '`running` from `check`; the request is rejected if the configuration has changed since then',
        ),
      reason,
    }),
    audits: {
      target: ['params.equipment', 'params.version'],
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
          .describe(
            'remaining differences, with masked secrets; empty if there are no differences',
          ),
        steps: z.array(z.string()).describe('steps that were executed, in order'),
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
    summary: 'Uploads part of a history to restore',
    repeated: '409 with the size received so far; a piece at offset 0 restarts the upload',
    description:
      'The history is a git bundle of the `main` branch. Send its parts in order; a part with offset 0 starts a new upload. `skolo backup restore-history` does this.',
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
    summary: 'Replaces the history with the uploaded one',
    repeated: '409',
    description:
      'Versions that were stored after the loss are then appended. No versions are removed.',
    role: 'admin',
    body: z.strictObject({
      sha256: z
        .string()
        .regex(/^[0-9a-f]{64}$/, 'expected the SHA-256 of the uploaded history in hex'),
      reason,
    }),
    audits: {
      target: 'self',
      reason: 'body.reason',
      input: ['body.sha256'],
      answer: ['equipment', 'versions'],
    },
    answers: {
      200: z.object({
        equipment: z.int().describe('number of switches, routers and so on'),
        versions: z.int(),
        lost: z
          .array(LostHistory)
          .describe('lost versions that the uploaded history does not contain'),
      }),
      409: Problem,
      503: Problem,
    },
  }),
  acceptLoss: route({
    method: 'post',
    path: '/v1/history/accept',
    summary: 'Accepts the loss of versions, so that they are no longer reported',
    repeated: 'returns an empty list',
    role: 'admin',
    body: z.strictObject({ reason }),
    audits: { target: 'self', reason: 'body.reason', answer: ['accepted'] },
    answers: { 200: z.object({ accepted: z.array(LostHistory) }), 503: Problem },
  }),
  ...hostKeyRoutes(
    'Forgets the host key, serial number and host name of replaced equipment; on the next connection, the service pins the new values',
  ),
};
