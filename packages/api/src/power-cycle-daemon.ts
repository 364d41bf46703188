/** The API of the power-cycle daemon: cycles, outlets, holds of three kinds. */
import { z } from 'zod';
import { hostKeyRoutes } from './host-keys.ts';
import { idempotencyKey } from './route/idempotency-key.ts';
import { Problem } from './route/problem.ts';
import { route } from './route/route.ts';
import { Time } from './time.ts';

const maxTargets = 1000;

const name = z
  .string()
  .min(1)
  .max(300)
  .meta({
    description:
      'a machine, phone or equipment in rack.yaml, a range of these, or an outlet such as pdu-1/4',
    examples: ['skia-rpi2-rack4-shelf1-[001-010]', 'skia-rpi2-rack4-shelf1-001-device', 'pdu-1/4'],
  });

const reason = z
  .string()
  .trim()
  .min(1)
  .max(1000)
  .describe('reason to record in the audit log, for other operators');

/** A power change of one target. */
export const PowerAction = z.enum(['cycle', 'on', 'off']);
export type PowerAction = z.output<typeof PowerAction>;

export const CycleMode = z.enum(['auto', 'soft', 'hard']);
export type CycleMode = z.output<typeof CycleMode>;

/** The steps of a cycle, in order. Some cycles skip some. */
export const CycleStep = z.enum([
  'queued',
  'check',
  'soft-reboot',
  'contact',
  'turn-off',
  'off',
  'turn-on',
  'see-back',
  'put-back',
]);
export type CycleStep = z.output<typeof CycleStep>;

/**
 * - `back`: turned off and on, both verified, and the machine is back. `on`: both verified, but nothing reports whether it is back.
 * - `off`: turned off and verified; for a USB port only its hub reports that, and `detail` says so.
 * - `busy`: not started, because a task is running. `cancelled`: not started.
 * - `failed`: `failedStep` and `detail` say where and why; the power is on again.
 * - `would-have`: decided automatically but not done, because rack.yaml has `acts: false` for the target.
 * - `unproven`: as `back` or `on`, but the commands of its equipment are described in rack.yaml or a table, and no machine has confirmed
 *   them in this rack yet, by its own silence and return.
 * - `inverted`: the machine became silent when its outlet was turned on, and returned when it was turned off again, as it is now.
 * - `stuck-off`: its power could not be verified to be on again. The service retries until it is.
 */
export const Outcome = z.enum([
  'back',
  'on',
  'off',
  'busy',
  'cancelled',
  'failed',
  'unproven',
  'inverted',
  'stuck-off',
  'would-have',
]);
export type Outcome = z.output<typeof Outcome>;

export const StepRecord = z
  .object({
    at: Time,
    step: CycleStep,
    text: z.string().describe('human-readable description of the event'),
  })
  .meta({ id: 'StepRecord' });
export type StepRecord = z.output<typeof StepRecord>;

export const PowerCycle = z
  .object({
    id: z.string(),
    target: z.string().describe('target of the request'),
    action: PowerAction,
    mode: CycleMode,
    outlets: z.array(z.string()).describe('outlets that power the target, such as switch-1/14'),
    reason,
    by: z.string().describe('requester'),
    origin: z.enum(['person', 'agent', 'endpoint', 'repair', 'internet']),
    requestedAt: Time,
    startedAt: Time.optional().describe('absent while the cycle is queued'),
    finishedAt: Time.optional().describe('absent while the cycle is running'),
    offSeconds: z.number(),
    force: z.boolean(),
    step: CycleStep,
    position: z
      .int()
      .min(0)
      .optional()
      .describe(
        'number of cycles ahead of this one in the queues of its controllers; absent if the cycle is not queued',
      ),
    outcome: Outcome.optional(),
    failedStep: CycleStep.optional(),
    fault: z
      .string()
      .optional()
      .describe(
        'outlets that reported a fault at the end of the cycle, each with its fault, such as `switch-1/14: Fault`',
      ),
    detail: z.string().optional().describe('description of the last event'),
    pending: z
      .literal(true)
      .optional()
      .describe(
        'present if `off` failed; the service retries it until it succeeds or `on` is requested',
      ),
    steps: z.array(StepRecord),
  })
  .meta({ id: 'PowerCycle' });
export type PowerCycle = z.output<typeof PowerCycle>;

/** Why the service rejects a target now. */
export const Rejection = z
  .object({
    target: z.string(),
    code: z.enum([
      'unknown',
      'no-outlet',
      'not-reachable',
      'protected',
      'others-go-dark',
      'held',
      'on-it',
      'cooling-down',
      'too-often',
      'switched-off',
      'under-way',
      'controller-failing',
      'not-possible',
      'observed',
    ]),
    detail: z.string(),
    until: Time.optional().describe('when the request will be accepted'),
    dark: z.array(z.string()).optional().describe('other targets that would lose power or network'),
  })
  .meta({ id: 'Rejection' });
export type Rejection = z.output<typeof Rejection>;

const Rejected = Problem.extend({ rejected: z.array(Rejection) });

/** The result of a request. */
export const AcceptedRequests = z.object({
  cycles: z.array(
    z.object({
      id: z.string(),
      target: z.string(),
      joined: z
        .boolean()
        .describe('whether this is an existing cycle, because the target was already being cycled'),
    }),
  ),
  rejected: z.array(Rejection).describe('targets that were rejected, if `skipRejected` is set'),
});
export type AcceptedRequests = z.output<typeof AcceptedRequests>;

const alongside = z
  .boolean()
  .default(false)
  .describe('proceed although another person is `on-it`, working on an incident of the target');
const skipRejected = z
  .boolean()
  .default(false)
  .describe('continue without rejected targets instead of rejecting the request');
const force = z
  .boolean()
  .default(false)
  .describe(
    'proceed even if this ends a running task, or if other targets or the daemon itself lose power or network. A cycle that cuts off the daemon is permitted only if the hardware completes the cycle on its own. On a failing controller, this allows one more target every 10 minutes',
  );
const ignoreLimits = z
  .boolean()
  .default(false)
  .describe('ignore `cooldownSeconds` and `maxPerHour` in rack.yaml, which protect the relays');

/**
 * Who keeps whom off what: `docs/decisions/2026-11-29-holds.md` has the table.
 *
 * - `out-of-service`: a person repairs it. `on-it`: a person is working on an incident.
 * - `busy`: a job is running there, as a scheduler says.
 */
export const HoldKind = z.enum(['out-of-service', 'on-it', 'busy']);
export type HoldKind = z.output<typeof HoldKind>;

const incident = z.string().trim().min(1).max(100).describe('ID of the incident');
const job = z
  .string()
  .max(100)
  .describe('tells two jobs with the same token on the same machine apart');

export const Hold = z
  .object({
    id: z.string(),
    /** Of a daemon or journal without kinds: the only one there was. */
    kind: HoldKind.default('out-of-service'),
    target: z
      .string()
      .describe('a machine, phone or equipment, or the name of the rack to hold the whole rack'),
    by: z.string(),
    since: Time,
    until: Time,
    reason,
    incident: incident.optional(),
    job: job.optional(),
    overdue: z
      .literal(true)
      .optional()
      .describe(
        'present if the target has been `busy` for 24 hours; an hour later, automatic repair no longer waits',
      ),
  })
  .meta({ id: 'Hold' });
export type Hold = z.output<typeof Hold>;

export const OutletStatus = z
  .object({
    outlet: z.string(),
    controller: z.string(),
    feeds: z.array(z.string()),
    state: z
      .enum(['on', 'off', 'unknown'])
      .describe("`unknown`: not read yet, or the outlet's controller is down"),
    readAt: Time.optional(),
    delivering: z.boolean().optional(),
    fault: z
      .string()
      .optional()
      .describe(
        'fault that the controller reports if the outlet is on, but does not deliver power',
      ),
    watts: z.number().optional(),
    mode: z.string().optional(),
    /** Turned off by an operator; only an operator turns it on. */
    switchedOff: z.object({ by: z.string(), at: Time, reason: z.string() }).optional(),
    /** A cycle turned it off, and it is not yet verified to be on again. */
    pendingOnSince: Time.optional(),
    stuckOff: z.boolean(),
  })
  .meta({ id: 'OutletStatus' });
export type OutletStatus = z.output<typeof OutletStatus>;

export const ControllerStatus = z
  .object({
    name: z.string(),
    model: z.string(),
    state: z
      .enum(['up', 'down', 'failing', 'unknown'])
      .describe(
        '`failing`: the controller responds, but one of its outlets is stuck off. Until this is fixed, the service does not turn off other outlets of this controller',
      ),
    since: Time.optional(),
    detail: z.string().optional().describe('why the controller is down or failing'),
    stuckOutlets: z
      .array(z.string())
      .optional()
      .describe('outlets that are stuck off; absent if none are'),
    level: z
      .enum(['never seen', 'recorded', 'read', 'switched', 'proven'])
      .describe('how thoroughly the model has been verified on real hardware'),
    queue: z.int().min(0),
    lastContact: Time.optional(),
  })
  .meta({ id: 'ControllerStatus' });
export type ControllerStatus = z.output<typeof ControllerStatus>;

export const MachinePower = z
  .object({
    name: z.string(),
    kind: z.enum(['machine', 'phone', 'equipment']),
    shelf: z.string().optional(),
    label: z.string().optional(),
    outlets: z.array(OutletStatus),
    controllers: z.array(ControllerStatus.pick({ name: true, state: true, detail: true })),
    /** Being cycled now. */
    cycle: PowerCycle.pick({ id: true, action: true, step: true, detail: true }).optional(),
    last: PowerCycle.pick({
      id: true,
      action: true,
      outcome: true,
      detail: true,
      finishedAt: true,
      by: true,
      reason: true,
    }).optional(),
    hold: z
      .object({ id: z.string(), by: z.string(), until: Time, reason: z.string() })
      .optional()
      .describe('takes it out of service'),
    onIt: z
      .array(Hold.pick({ id: true, by: true, since: true, until: true, incident: true }))
      .optional()
      .describe('who is working on an incident that includes it'),
    busy: z
      .array(
        Hold.pick({ id: true, by: true, since: true, until: true, reason: true, overdue: true }),
      )
      .optional()
      .describe('jobs that run on it, as their schedulers said; a task of its agent is not listed'),
    needsAttention: z.string().optional().describe('why automatic repair gave up'),
    possibleAt: Time.optional().describe(
      'when the target can be cycled again; absent if it can be cycled now',
    ),
  })
  .meta({ id: 'MachinePower' });
export type MachinePower = z.output<typeof MachinePower>;

const id = z.object({
  id: z.string().min(1).max(100).describe('the ID, or at least the first or last 4 characters'),
});

export const powerCycleDaemonApi = {
  requestCycles: route({
    method: 'post',
    path: '/v1/power-cycles',
    summary: 'Requests power cycles of machines, phones, equipment or outlets',
    repeated: 'key. Without one: joins a running cycle, or starts a new one',
    description:
      'The service checks all targets first. If it rejects any and `skipRejected` is not set, it returns 409 with all rejections and does nothing. If a target is already being cycled, the request joins that cycle.',
    role: 'operate',
    headers: idempotencyKey,
    body: z.strictObject({
      machines: z.array(name).min(1).max(maxTargets),
      reason,
      offSeconds: z.number().min(0.5).max(3600).optional(),
      mode: CycleMode.default('auto'),
      alongside,
      alone: z
        .boolean()
        .default(false)
        .describe(
          "turn off only the phone's USB port, even if the hub powers several ports together. This tests whether the port can be switched separately",
        ),
      force,
      ignoreLimits,
      skipRejected,
    }),
    audits: {
      target: ['body.machines'],
      reason: 'body.reason',
      input: [
        'body.mode',
        'body.alone',
        'body.alongside',
        'body.force',
        'body.ignoreLimits',
        'body.offSeconds',
        'body.skipRejected',
      ],
      answer: ['cycles', 'rejected'],
    },
    answers: { 202: AcceptedRequests, 404: Rejected, 409: Rejected, 422: Problem, 503: Problem },
  }),
  requestDeviceCycles: route({
    method: 'post',
    path: '/v1/own-devices/power-cycles',
    summary: "Requests cycles of the calling machine's phones",
    repeated: 'joins a running cycle, or starts a new one; both count towards the hourly limit',
    machine: true,
    tags: ['power-cycles'],
    body: z.strictObject({
      devices: z.array(z.string().min(1).max(100)).min(1).max(32).describe('NAME or MACHINE-NAME'),
      reason,
    }),
    audits: {
      elsewhere: 'recorded as a request from the machine that the address and signature identify',
    },
    answers: {
      202: AcceptedRequests,
      401: Problem,
      403: Problem,
      404: Rejected,
      409: Rejected,
      429: Problem,
      503: Problem,
    },
  }),
  cycles: route({
    method: 'get',
    path: '/v1/power-cycles',
    summary: 'Lists cycles, newest first',
    role: 'view',
    query: z.strictObject({
      target: name.optional(),
      state: z.enum(['queued', 'running', 'finished']).optional(),
      outcome: Outcome.optional(),
      by: z.string().optional(),
      since: Time.optional(),
      limit: z.coerce.number().int().min(1).max(1000).default(100),
    }),
    answers: { 200: z.object({ cycles: z.array(PowerCycle) }), 404: Rejected },
  }),
  cycle: route({
    method: 'get',
    path: '/v1/power-cycles/{id}',
    summary: 'Returns a cycle with its steps',
    role: 'view',
    params: id,
    answers: { 200: PowerCycle, 404: Problem },
  }),
  cycleEvents: route({
    method: 'get',
    path: '/v1/power-cycles/events',
    summary: 'Streams the current state of cycles, followed by each change',
    description:
      'Each stream starts with the current state. Without `ids`, it contains the changes to all cycles.',
    role: 'view',
    query: z.object({
      ids: z
        .union([z.string(), z.array(z.string())])
        .optional()
        .describe('comma-separated IDs'),
    }),
    events: { cycle: PowerCycle },
    answers: { 200: undefined, 404: Problem, 503: Problem },
  }),
  cancelCycle: route({
    method: 'delete',
    path: '/v1/power-cycles/{id}',
    summary: 'Cancels a cycle that has not started',
    repeated: '409: already cancelled',
    role: 'operate',
    params: id,
    query: z.strictObject({ why: z.string().max(1000).optional() }),
    audits: { target: ['params.id'], reason: 'query.why', answer: ['target', 'action', 'outcome'] },
    answers: { 200: PowerCycle, 404: Problem, 409: Problem, 503: Problem },
  }),
  switchOutlets: route({
    method: 'post',
    path: '/v1/outlets',
    summary: 'Turns machines, phones, equipment or single outlets on or off',
    repeated:
      'key. Without one: joins a running change, or starts a new one, but does not change an outlet already in the requested state',
    description:
      'An outlet that is turned off stays off until a request turns it on again, even if the PDU reboots. If `off` fails, it is `pending`: the service retries it when the controller responds, unless `on` is requested first.',
    role: 'operate',
    headers: idempotencyKey,
    body: z.strictObject({
      targets: z.array(name).min(1).max(maxTargets),
      state: z.enum(['on', 'off']),
      reason,
      force,
      ignoreLimits,
      skipRejected,
    }),
    audits: {
      target: ['body.targets'],
      reason: 'body.reason',
      input: ['body.state', 'body.force', 'body.ignoreLimits', 'body.skipRejected'],
      answer: ['cycles', 'rejected'],
    },
    answers: { 202: AcceptedRequests, 404: Rejected, 409: Rejected, 422: Problem, 503: Problem },
  }),
  outlets: route({
    method: 'get',
    path: '/v1/outlets',
    summary: 'Lists all outlets in use with their last known states',
    role: 'view',
    answers: { 200: z.object({ outlets: z.array(OutletStatus) }) },
  }),
  forgetPendingOn: route({
    method: 'delete',
    path: '/v1/outlets/{outlet}/pending-on',
    summary: 'Stops the attempts to turn on an outlet whose equipment is no longer in rack.yaml',
    repeated: '404: no longer pending',
    role: 'operate',
    params: z.object({ outlet: z.string().min(1).max(200) }),
    query: z.strictObject({ why: z.string().max(1000).optional() }),
    audits: { target: ['params.outlet'], reason: 'query.why' },
    answers: { 200: z.object({ outlet: z.string() }), 404: Problem, 409: Problem, 503: Problem },
  }),
  machines: route({
    method: 'get',
    path: '/v1/machines',
    summary: 'Lists machines, phones and equipment with their outlets, power and last cycle',
    role: 'view',
    query: z.strictObject({ name: z.union([name, z.array(name)]).optional() }),
    answers: { 200: z.object({ machines: z.array(MachinePower) }), 404: Rejected },
  }),
  controllers: route({
    method: 'get',
    path: '/v1/controllers',
    summary: 'Lists switches, PDUs and hubs, and whether they respond',
    role: 'view',
    answers: { 200: z.object({ controllers: z.array(ControllerStatus) }) },
  }),
  holds: route({
    method: 'get',
    path: '/v1/holds',
    summary: 'Lists holds of all kinds, earliest end first',
    role: 'view',
    answers: { 200: z.object({ holds: z.array(Hold) }) },
  }),
  ownHolds: route({
    method: 'get',
    path: '/v1/own-holds',
    summary: 'Lists the holds of all kinds on the calling machine and its phones',
    description:
      'For the agent on a machine, which the service identifies by its address and signature. The response includes holds on the rack, and on equipment that powers or connects the machine.',
    tags: ['holds'],
    machine: true,
    answers: {
      200: z.object({
        holds: z.array(Hold.pick({ target: true, by: true, until: true, reason: true })),
        noRepair: z
          .array(Hold.pick({ kind: true, by: true, until: true, reason: true }))
          .describe(
            'why no phone may be repaired although new tasks start: jobs that others have announced on the machine, its phones, or what loses power with it, and who is `on-it`',
          ),
      }),
      401: Problem,
      403: Problem,
    },
  }),
  hold: route({
    method: 'post',
    path: '/v1/holds',
    summary:
      'Blocks power cycles of machines, of equipment and everything that it powers or connects, or of the whole rack',
    description:
      'A hold `out-of-service` replaces an existing one, whoever set it. One that is `on-it` names its incident, lasts at most 4 hours, and replaces only those of the same person: new tasks start, automatic repair waits, and other people are asked before they cycle the target.',
    repeated: 'replaces the hold with one that has a new ID',
    role: 'operate',
    body: z.strictObject({
      kind: HoldKind.exclude(['busy']).default('out-of-service'),
      incident: incident.optional().describe('required by `on-it`'),
      targets: z.array(name).min(1).max(maxTargets),
      until: Time.optional(),
      reason,
    }),
    audits: {
      target: ['body.targets'],
      reason: 'body.reason',
      input: ['body.kind', 'body.incident', 'body.until'],
      answer: ['holds'],
    },
    answers: { 201: z.object({ holds: z.array(Hold) }), 400: Problem, 404: Rejected, 503: Problem },
  }),
  release: route({
    method: 'delete',
    path: '/v1/holds/{id}',
    summary: 'Ends a hold of any kind',
    repeated: '404',
    role: 'operate',
    params: id,
    query: z.strictObject({ why: z.string().max(1000).optional() }),
    audits: { target: ['params.id'], reason: 'query.why', answer: ['target', 'by', 'until'] },
    answers: { 200: Hold, 404: Problem, 503: Problem },
  }),
  endOnIt: route({
    method: 'delete',
    path: '/v1/incidents/{incident}/on-it',
    summary: 'Ends the holds of all who are `on-it`, when an incident is over',
    repeated: 'returns no holds',
    tags: ['holds'],
    role: 'operate',
    right: { name: 'endsOnIt' },
    params: z.object({ incident }),
    audits: { target: ['params.incident'], answer: ['holds'] },
    answers: { 200: z.object({ holds: z.array(Hold) }), 503: Problem },
  }),
  setBusy: route({
    method: 'put',
    path: '/v1/machines/{name}/busy',
    summary: 'Says that a job is running on a machine or phone, or that it continues',
    description:
      'Until it ends, nothing that would turn the machine off is cycled without `force`, except by the same caller. Send it again before `until`, because the job ends at that time. After a restart of the service, a job counts for as long as it was first announced. 24 hours after it began, the job is `overdue`. While the machine is being cycled, the response is 409.',
    repeated: 'prolongs the job of the same caller and `job`',
    tags: ['holds'],
    role: 'operate',
    right: { name: 'busy', on: 'name' },
    params: z.object({ name }),
    body: z.strictObject({
      until: Time.optional().describe('at most 24 hours from now; default: in 2 hours'),
      text: reason.describe('what is running there, for people'),
      job: job.default(''),
    }),
    audits: { elsewhere: 'recorded when it begins, but not when it continues' },
    answers: { 200: Hold, 400: Problem, 404: Rejected, 409: Problem, 503: Problem },
  }),
  endBusy: route({
    method: 'delete',
    path: '/v1/machines/{name}/busy',
    summary: "Says that the caller's job on a machine or phone has ended",
    repeated: '404',
    tags: ['holds'],
    role: 'operate',
    right: { name: 'busy', on: 'name' },
    params: z.object({ name }),
    query: z.strictObject({ job: job.default('') }),
    audits: {
      target: ['params.name'],
      input: ['query.job'],
      answer: ['id', 'by', 'since', 'reason'],
    },
    answers: { 200: Hold, 404: Problem, 503: Problem },
  }),
  alerts: route({
    method: 'post',
    path: '/v1/alerts',
    summary:
      "Receives Alertmanager's webhook message (version 4) about missing machines, for automatic repair",
    repeated: 'no change',
    role: 'operate',
    audits: { elsewhere: 'recorded as the cycle that automatic repair requests' },
    body: z.looseObject({
      alerts: z
        .array(
          z.looseObject({
            status: z.enum(['firing', 'resolved']),
            labels: z.record(z.string(), z.string()),
            startsAt: z.string(),
          }),
        )
        .max(10_000),
    }),
    answers: { 200: z.object({ heard: z.int() }) },
  }),
  ...hostKeyRoutes(
    'Forgets the host key of replaced equipment; on the next connection, the service pins the new key',
  ),
};
