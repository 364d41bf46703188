/** The API of machine-state: every machine of a rack as all services report it, its history, and operators' orders. */
import { z } from 'zod';
import { Cause, text } from './incident/cause.ts';
import { incidentsApi } from './incident/incident-api.ts';
import { MachinePower, OutletStatus } from './power-cycle-daemon.ts';
import { DegradedPart } from './probes.ts';
import { idempotencyKey } from './route/idempotency-key.ts';
import { Problem } from './route/problem.ts';
import { route } from './route/route.ts';
import { BackupState } from './router-backup.ts';
import {
  BotStatus,
  DeviceStatus,
  EndedTask,
  HealthStatus,
  LogLine,
  Order,
  RepairStep,
} from './swarming-client.ts';
import { Time } from './time.ts';
import { TimelineRow, timelineApi } from './timeline/timeline-api.ts';

const name = z.string().min(1).max(200);
const reason = z.string().trim().min(1).max(1000);
/** More than the largest rack has. */
const mostTargets = 1000;

/** From best to worst. Four are the agent's verdict; the others are about the agent itself. */
export const MachineCondition = z
  .enum([
    ...(['ok', 'unknown', 'recovering', 'maintenance', 'quarantined'] as const),
    ...(['stale', 'gone', 'never-reported'] as const),
  ])
  .describe(
    '`unknown`: the agent responds, but does not report whether the machine is healthy; `stale`: the agent has not responded for `staleSeconds` (default: 60 s), or slightly less if several machines share a cause; `gone`: the agent has not responded for `goneSeconds` (default: 10 minutes); `never-reported`: the agent has never responded',
  );
export type MachineCondition = z.output<typeof MachineCondition>;

export const MachineOrder = Order.extend({
  by: Order.shape.by
    .optional()
    .describe(
      'absent if the order is known only from the machine, because the journal was lost; see `reason`',
    ),
  machine: name,
  deliveredAt: Time.optional().describe('when the agent acknowledged the order; absent until then'),
  why: z.string().optional().describe('why the agent has not received the order yet'),
}).meta({ id: 'MachineOrder' });
export type MachineOrder = z.output<typeof MachineOrder>;

export const MachineAlert = z
  .object({
    name: z.string(),
    severity: z.string().optional(),
    summary: z.string().optional(),
    firstCommand: z.string().optional().describe('`first_command` annotation of the alert rule'),
    since: Time,
    device: z.string().optional(),
    about: z
      .string()
      .optional()
      .describe(
        'cause, machine, phone, equipment or service that the alert is about, by its labels',
      ),
  })
  .meta({ id: 'MachineAlert' });
export type MachineAlert = z.output<typeof MachineAlert>;

const Task = z.object({ id: z.string().optional(), since: Time.optional() });

/** One machine, combined from all services' reports. */
export const Machine = z
  .object({
    name,
    kind: z.string(),
    shelf: z.string().optional(),
    label: z.string().optional(),
    address: z.string().optional(),
    mac: z.string().optional(),
    pools: z.array(z.string()),
    condition: MachineCondition,
    since: Time.optional().describe('when the condition started; absent for `never-reported`'),
    sentence: z.string().describe('human-readable reason for the condition'),
    needsAttention: z
      .string()
      .optional()
      .describe('why the machine needs attention; absent if it does not'),
    cause: Cause.optional().describe('cause of the condition if several machines share it'),
    flapping: z
      .object({ changes: z.int(), since: Time })
      .optional()
      .describe('present if faults have changed the condition too often in the last hour'),
    unresponsive: z
      .literal(true)
      .optional()
      .describe('present during maintenance that was ordered, if the agent does not respond'),
    lastSeen: Time.optional().describe('when the agent last responded'),
    health: HealthStatus.optional(),
    task: Task.optional().describe('running task; absent while the agent does not respond'),
    taskWhenLastSeen: Task.optional().describe(
      'task that was running at `lastSeen`; only present while the agent does not respond',
    ),
    lastTask: EndedTask.optional().describe('last task that has ended since the agent started'),
    bot: BotStatus.optional(),
    devices: z.array(DeviceStatus),
    repairs: z.array(RepairStep),
    bootId: z.string().optional(),
    host: z.record(z.string(), z.union([z.number(), z.boolean()])).optional(),
    versions: z.record(z.string(), z.string()).optional(),
    orders: z.array(MachineOrder),
    wiring: z.object({
      uplink: z.string().optional().describe('switch-1/14'),
      power: z.array(z.string()).describe("the machine's outlets"),
    }),
    power: MachinePower.pick({ hold: true, onIt: true, busy: true })
      .extend({
        outlets: z.array(OutletStatus.pick({ outlet: true, state: true })),
        cycle: z.object({ id: z.string(), step: z.string() }).optional(),
      })
      .optional()
      .describe('absent if the power-cycle daemon does not respond'),
    token: z
      .object({ identity: z.string().optional(), lastAsked: Time.optional() })
      .optional()
      .describe('absent if the metadata server does not respond'),
    alerts: z.array(MachineAlert).describe('firing alerts; at most 200'),
  })
  .meta({ id: 'Machine' });
export type Machine = z.output<typeof Machine>;

/** A port of a switch or PDU, with both ends of the cable. */
export const RackPort = z
  .object({
    port: z.string().describe('name of the port in rack.yaml, such as `14` or `eth1`'),
    powers: z.array(z.string()).describe('machines, phones and equipment powered by this port'),
    connects: z.array(z.string()).describe('connected uplink'),
    state: z
      .enum(['on', 'off', 'unknown'])
      .optional()
      .describe('absent if the port does not power anything'),
  })
  .meta({ id: 'RackPort' });
export type RackPort = z.output<typeof RackPort>;

export const RackEquipment = z
  .object({
    name,
    model: z.string(),
    address: z.string().optional(),
    uplink: z.string().optional(),
    power: z.array(z.string()),
    state: z
      .enum(['up', 'down', 'failing', 'unknown'])
      .describe(
        "the power-cycle daemon's verdict; otherwise `down` if router-backup could not reach it, or `unknown`, because a successful backup says nothing about now",
      ),
    why: z.string().optional(),
    since: Time.optional(),
    lastBackup: Time.optional(),
    backup: z
      .object({ state: BackupState, why: z.string().optional() })
      .optional()
      .describe("router-backup's verdict; absent if it does not respond or does not know the name"),
    ports: z.array(RackPort),
  })
  .meta({ id: 'RackEquipment' });
export type RackEquipment = z.output<typeof RackEquipment>;

/** A common cause of failures on several machines. */
export const CommonCause = Cause.extend({
  isPartial: z
    .literal(true)
    .optional()
    .describe('machines that share it respond, so it may be healthy itself'),
  why: text,
  since: Time.describe('when half of the machines had responded for the last time'),
  machines: z.array(name),
}).meta({ id: 'CommonCause' });
export type CommonCause = z.output<typeof CommonCause>;

export const ServiceState = z
  .object({
    name: z.string(),
    state: z
      .enum(['unreachable', 'not ready', 'degraded', 'ready', 'unknown'])
      .optional()
      .describe(
        'the worst that applies; `unknown`: no request was completed since the start; absent in responses of older versions',
      ),
    reachable: z.boolean(),
    ready: z.boolean(),
    version: z.string().optional(),
    why: z.string().optional().describe('why the service is unreachable or not ready'),
    degraded: z.array(DegradedPart),
  })
  .meta({ id: 'ServiceState' });
export type ServiceState = z.output<typeof ServiceState>;

/** Power cycles, or outlets turned on or off, of one person's request: their row in the timeline. */
export const CycleRequest = TimelineRow.pick({ at: true, endedAt: true, text: true, where: true })
  .extend({
    failed: z.int().describe('number of targets'),
    by: name.optional().describe('absent in responses of older versions'),
  })
  .meta({ id: 'CycleRequest' });
export type CycleRequest = z.output<typeof CycleRequest>;

/** Everything about a rack except its machines. */
export const RackView = z
  .object({
    rack: z.string(),
    jumphost: name.optional().describe('absent in responses of older versions'),
    timezone: z.string(),
    shelves: z.array(z.object({ name: z.string(), machines: z.array(name) })),
    equipment: z.array(RackEquipment).describe('router, switches, PDUs'),
    causes: z.array(CommonCause),
    incidents: z
      .array(z.object({ id: z.string(), since: Time, machines: z.array(name) }))
      .default([])
      .describe('IDs of incidents that continue, with the machines that are silent'),
    services: z.array(ServiceState),
    cycleRequests: z
      .array(CycleRequest)
      .optional()
      .describe('requests of people in the last 12 hours, newest first; at most 20'),
    rackFile: z.object({
      loadedAt: Time,
      warnings: z.array(z.string()),
      problems: z.array(z.string()).describe('why the current rack.yaml was rejected'),
      changes: z.array(z.string()).describe('what the last reload changed'),
    }),
    alerts: z
      .array(MachineAlert)
      .describe('firing alerts that do not belong to a machine; at most 200'),
    alertPath: z
      .object({
        state: z.enum(['failing', 'silent', 'not confirmed', 'delivered']),
        text: z.string().describe('reason, and what to do; empty if alerts are delivered'),
      })
      .optional()
      .describe(
        'whether alerts are delivered; absent until alert-to-pubsub has responded or failed to respond',
      ),
  })
  .meta({ id: 'RackView' });
export type RackView = z.output<typeof RackView>;

const entry = { at: Time, machine: name, device: z.string().optional() };

/** An event in a machine's history. */
export const HistoryEntry = z
  .discriminatedUnion('kind', [
    z.object({
      ...entry,
      kind: z.literal('condition'),
      condition: MachineCondition,
      text: z.string(),
      codes: z.array(z.string()).describe('reason codes'),
    }),
    z.object({
      ...entry,
      kind: z.literal('task'),
      id: z.string().optional(),
      endedAt: Time.optional(),
      outcome: z
        .string()
        .optional()
        .describe(
          '`succeeded`, `failed`, `internal-failure` or `bot-exit` if the agent reported how the task ended; otherwise `ended`, `lost` or `bot-exit`',
        ),
      infrastructure: z
        .string()
        .optional()
        .describe(
          'what ended the task, if it was a power cycle, a reboot, or a cause that several machines share, such as a dead switch',
        ),
    }),
    z.object({
      ...entry,
      kind: z.literal('cycle'),
      id: z.string(),
      action: z.string(),
      by: z.string(),
      reason: z.string(),
      endedAt: Time.optional(),
      outcome: z.string().optional(),
    }),
    z.object({
      ...entry,
      kind: z.literal('repair'),
      step: z.string(),
      outcome: z.string(),
      text: z.string().optional(),
    }),
    z
      .object({
        ...entry,
        kind: z.literal('would-have'),
        action: z.string().meta({ examples: ['power-cycle', 'reboot', 'usb-cycle'] }),
        by: z.string(),
        reason: z.string(),
      })
      .describe(
        'action that skolo decided on but did not take, because rack.yaml has `acts: false`',
      ),
    z.object({
      ...entry,
      kind: z.literal('hold'),
      by: z.string(),
      reason: z.string(),
      until: Time,
      endedAt: Time.optional(),
    }),
    z.object({
      ...entry,
      kind: z.literal('order'),
      id: z.string(),
      order: Order.shape.kind,
      by: z.string().optional().describe('absent if the order is known only from the machine'),
      reason: z.string(),
      endedAt: Time.optional(),
      endedBy: z.string().optional(),
    }),
    z.object({
      ...entry,
      kind: z.literal('alert'),
      name: z.string(),
      severity: z.string().optional(),
      endedAt: Time.optional(),
    }),
    z.object({ ...entry, kind: z.literal('note'), by: z.string(), text: z.string() }),
    z.object({ ...entry, kind: z.literal('boot'), bootId: z.string() }),
    z
      .object({
        ...entry,
        kind: z.literal('omitted'),
        of: z.string().describe('kind of the omitted entries'),
        count: z.int(),
        endedAt: Time,
      })
      .describe(
        'entries of one kind that were omitted, because the machine had too many of them within an hour',
      ),
  ])
  .meta({ id: 'HistoryEntry' });
export type HistoryEntry = z.output<typeof HistoryEntry>;

export const Curve = z
  .object({
    device: z.string(),
    quantity: z.string().describe('`battery`, or a temperature sensor'),
    unit: z.enum(['percent', 'celsius']),
    points: z.array(z.tuple([z.int(), z.number()])).describe('Unix time in seconds, value'),
  })
  .meta({ id: 'Curve' });
export type Curve = z.output<typeof Curve>;

export const MachineDowntime = z
  .object({
    name,
    times: z.int().describe('number of faults'),
    seconds: z
      .number()
      .describe('total time for which faults prevented the machine from accepting tasks'),
    codes: z
      .array(z.object({ code: z.string(), times: z.int() }))
      .describe('reason codes, most frequent first'),
  })
  .meta({ id: 'MachineDowntime' });
export type MachineDowntime = z.output<typeof MachineDowntime>;

const machine = z.object({ name });
const span = {
  from: Time.optional().describe('default: one day before `to`'),
  to: Time.optional().describe('default: now'),
};

export const machineStateApi = {
  machines: route({
    method: 'get',
    path: '/v1/machines',
    summary: 'Lists all machines in the rack',
    role: 'view',
    query: z.strictObject({
      shelf: z.string().optional(),
      condition: MachineCondition.optional(),
      code: z.string().optional().describe('reason code, such as `battery-low`'),
      model: z.string().optional().describe('device model, or machine kind'),
      pool: z.string().optional(),
      text: z
        .string()
        .max(1000)
        .optional()
        .describe(
          'only machines that match all these words. The whole name of a shelf, condition, model, version, port, switch or PDU finds only its machines. Other words may be part of any value',
        ),
    }),
    answers: { 200: z.object({ machines: z.array(Machine) }) },
  }),
  machine: route({
    method: 'get',
    path: '/v1/machines/{name}',
    summary: 'Returns a machine',
    role: 'view',
    params: machine,
    answers: { 200: Machine, 404: Problem },
  }),
  rack: route({
    method: 'get',
    path: '/v1/rack',
    summary:
      'Returns shelves, equipment with its ports, common causes, services, and the state of rack.yaml',
    role: 'view',
    answers: { 200: RackView },
  }),
  changes: route({
    method: 'get',
    path: '/v1/changes',
    summary: 'Streams the current state, followed by each change',
    description:
      'The stream starts with `all` or, if the changes since `Last-Event-ID` are still available, with these changes.',
    role: 'view',
    headers: z.object({ 'last-event-id': z.string().max(100).optional() }),
    events: {
      all: z.object({ machines: z.array(Machine), rack: RackView }),
      machine: Machine,
      removed: z.object({ name }),
      rack: RackView,
    },
    answers: { 200: undefined, 503: Problem },
  }),
  history: route({
    method: 'get',
    path: '/v1/machines/{name}/history',
    summary: 'Lists events of a machine and its devices, newest first',
    role: 'view',
    params: machine,
    query: z.strictObject({
      ...span,
      kind: z.string().optional().describe('comma-separated kinds of entries'),
      limit: z.coerce.number().int().min(1).max(10_000).default(1000),
    }),
    answers: {
      200: z.object({ entries: z.array(HistoryEntry), truncated: z.boolean() }),
      404: Problem,
      503: Problem,
    },
  }),
  curves: route({
    method: 'get',
    path: '/v1/machines/{name}/curves',
    summary: "Returns the battery levels and temperatures of a machine's devices over time",
    role: 'view',
    params: machine,
    query: z.strictObject(span),
    answers: { 200: z.object({ curves: z.array(Curve) }), 404: Problem, 503: Problem },
  }),
  downtime: route({
    method: 'get',
    path: '/v1/downtime',
    summary: 'Lists the machines with the most downtime caused by faults',
    description: 'Ordered and planned downtime is not included.',
    role: 'view',
    query: z.strictObject({
      days: z.coerce.number().min(1).max(90).default(30),
      limit: z.coerce.number().int().min(1).max(1000).default(20),
    }),
    answers: { 200: z.object({ machines: z.array(MachineDowntime) }), 503: Problem },
  }),
  ...timelineApi,
  ...incidentsApi,
  log: route({
    method: 'get',
    path: '/v1/machines/{name}/log',
    summary: 'Returns the latest log lines of the agent and the bot, read directly from the agent',
    role: 'view',
    params: machine,
    query: z.strictObject({
      lines: z.coerce.number().int().min(1).max(1000).default(100),
      after: z.coerce
        .number()
        .int()
        .min(-1)
        .optional()
        .describe('return only lines whose number is higher than this'),
    }),
    answers: { 200: z.object({ lines: z.array(LogLine) }), 404: Problem, 503: Problem },
  }),
  addNote: route({
    method: 'post',
    path: '/v1/notes',
    summary: 'Adds a note with the time and author to machines',
    repeated: 'key. Without one: stores a second note',
    role: 'operate',
    headers: idempotencyKey,
    body: z.strictObject({
      machines: z.array(name).min(1).max(mostTargets),
      text: z.string().trim().min(1).max(4000),
    }),
    audits: { target: ['body.machines'], input: ['body.text'] },
    answers: { 201: undefined, 404: Problem, 422: Problem, 503: Problem },
  }),
  order: route({
    method: 'post',
    path: '/v1/orders',
    summary: 'Puts machines into maintenance or quarantine',
    repeated: 'key. Without one: creates a second order',
    description:
      'This call requires names and does not accept a filter. If it affects several machines that make up more than 10% of the rack, `count` must be their number; otherwise, the response is 409.',
    role: 'operate',
    headers: idempotencyKey,
    body: z.strictObject({
      machines: z.array(name).min(1).max(mostTargets),
      kind: Order.shape.kind,
      reason,
      until: Time.optional().describe('absent if the order lasts until someone ends it'),
      count: z.int().optional(),
    }),
    audits: {
      target: ['body.machines'],
      reason: 'body.reason',
      input: ['body.kind', 'body.until', 'body.count'],
      answer: ['orders'],
    },
    answers: {
      201: z.object({ orders: z.array(MachineOrder) }),
      404: Problem,
      409: Problem,
      422: Problem,
      503: Problem,
    },
  }),
  endOrder: route({
    method: 'delete',
    path: '/v1/orders/{id}',
    summary: 'Ends the maintenance or quarantine of a machine',
    repeated: '404: already ended',
    role: 'operate',
    params: z.object({ id: z.string().min(1).max(100) }),
    query: z.strictObject({ why: z.string().max(1000).optional() }),
    audits: { target: ['params.id'], reason: 'query.why', answer: ['machine', 'kind'] },
    answers: { 200: MachineOrder, 404: Problem, 503: Problem },
  }),
  screen: route({
    method: 'post',
    path: '/v1/machines/{name}/screen',
    summary: "Returns a phone's screen: the last screenshot stored as evidence, or a new one",
    repeated: 'takes another screenshot',
    description: 'A new screenshot is not stored. While a task is running, it requires `force`.',
    role: 'operate',
    params: machine,
    body: z.strictObject({
      device: z.string().optional().describe('can be omitted if the machine has only one device'),
      fresh: z.boolean().default(false),
      force: z.boolean().default(false),
    }),
    audits: { target: ['params.name'], input: ['body.device', 'body.fresh', 'body.force'] },
    types: ['image/png'],
    answers: { 200: undefined, 404: Problem, 409: Problem, 503: Problem },
  }),
  clear: route({
    method: 'post',
    path: '/v1/machines/{name}/clear',
    summary: 'Ends a quarantine that was forced on the machine, and restarts repairs',
    repeated: 'no change',
    role: 'operate',
    params: machine,
    body: z.strictObject({ reason }),
    audits: { target: ['params.name'], reason: 'body.reason', answer: ['verdict'] },
    answers: { 200: HealthStatus, 404: Problem, 503: Problem },
  }),
  repair: route({
    method: 'post',
    path: '/v1/machines/{name}/repair',
    summary:
      "Starts one repair step for a machine's device; the response is 409 while a task is running",
    repeated:
      'key: 202, and resends the request only if the agent did not respond and has not run the step since. Without one: runs the step again',
    description:
      "Each device's `repairSteps` lists the possible steps, and `repairs` lists the outcomes.",
    role: 'operate',
    headers: idempotencyKey,
    params: machine,
    body: z.strictObject({
      device: z
        .string()
        .max(100)
        .optional()
        .describe('can be omitted if the machine has only one device'),
      step: z.string().max(100),
      reason,
    }),
    audits: {
      target: ['params.name'],
      reason: 'body.reason',
      input: ['body.device', 'body.step'],
    },
    answers: { 202: undefined, 404: Problem, 409: Problem, 422: Problem, 503: Problem },
  }),
  reboot: route({
    method: 'post',
    path: '/v1/machines/{name}/reboot',
    summary: 'Reboots a machine; the response is 409 while a task is running',
    repeated:
      'key: 202, and resends the request only if the agent did not respond and the machine has not rebooted since. Without one: reboots the machine again',
    role: 'operate',
    headers: idempotencyKey,
    params: machine,
    body: z.strictObject({ reason }),
    audits: { target: ['params.name'], reason: 'body.reason' },
    answers: { 202: undefined, 404: Problem, 409: Problem, 422: Problem, 503: Problem },
  }),
};
