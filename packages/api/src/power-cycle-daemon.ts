/** The power-cycle daemon: asking for cycles, following them, turning outlets on and off, holds. */
import { z } from 'zod';
import { hostKeyRoutes } from './host-keys.ts';
import { Problem } from './problem.ts';
import { route } from './route.ts';
import { Time } from './time.ts';

const maxTargets = 1000;

const name = z
  .string()
  .min(1)
  .max(300)
  .meta({
    description:
      'a machine, a phone or a device of rack.yaml, with or without a range; or an outlet, pdu-1/4',
    examples: ['skia-rpi2-rack4-shelf1-[001-010]', 'skia-rpi2-rack4-shelf1-001-device', 'pdu-1/4'],
  });

const reason = z
  .string()
  .trim()
  .min(1)
  .max(1000)
  .meta({ description: 'for the audit log, and whoever looks at the machine next' });

/** One thing that is done with the power of one target. */
export const PowerAction = z.enum(['cycle', 'on', 'off']);
export type PowerAction = z.output<typeof PowerAction>;

/** How a cycle goes about it. */
export const CycleMode = z.enum(['auto', 'soft', 'hard']);
export type CycleMode = z.output<typeof CycleMode>;

/** What a cycle does, in this order; not each of them does all. */
export const CycleStep = z.enum([
  'queued',
  'check',
  'soft-reboot',
  'contact',
  'turn-off',
  'off',
  'turn-on',
  'see-back',
]);
export type CycleStep = z.output<typeof CycleStep>;

/**
 * - `back`: off, seen off, on, seen on, and seen back. `on`: the same, but nothing says whether it is back.
 * - `off`: turned off, and seen off.
 * - `busy`: not begun, a task is running. `cancelled`: not begun.
 * - `failed`: `failedStep` and `detail` say where and why; the power is on again.
 * - `stuck-off`: its power could not be proven to be on again. It is tried for ever.
 */
export const Outcome = z.enum(['back', 'on', 'off', 'busy', 'cancelled', 'failed', 'stuck-off']);
export type Outcome = z.output<typeof Outcome>;

export const StepRecord = z
  .object({
    at: Time,
    step: CycleStep,
    text: z.string().meta({ description: 'what happened, for people' }),
  })
  .meta({ id: 'StepRecord' });
export type StepRecord = z.output<typeof StepRecord>;

export const PowerCycle = z
  .object({
    id: z.string(),
    target: z.string().meta({ description: 'what was asked for' }),
    action: PowerAction,
    mode: CycleMode,
    outlets: z.array(z.string()).meta({ description: 'that feed it: switch-1/14' }),
    reason,
    by: z.string().meta({ description: 'who asked' }),
    origin: z.enum(['person', 'agent', 'door', 'repair', 'uplink']),
    requestedAt: Time,
    startedAt: Time.optional().meta({ description: 'absent: still queued' }),
    finishedAt: Time.optional().meta({ description: 'absent: under way' }),
    offSeconds: z.number(),
    force: z.boolean(),
    step: CycleStep,
    /** Behind how many others on its controllers it waits. */
    position: z.int().min(0).optional().meta({ description: 'in the queue; absent: not waiting' }),
    outcome: Outcome.optional(),
    failedStep: CycleStep.optional(),
    fault: z.string().optional().meta({
      description: 'outlets that reported a fault at the end: switch-1/14: Fault',
    }),
    detail: z.string().optional().meta({ description: 'the last thing that happened, for people' }),
    pending: z.literal(true).optional().meta({
      description:
        'an operator’s off failed and stands: it is carried out once that is possible, unless `on` is asked for',
    }),
    steps: z.array(StepRecord),
  })
  .meta({ id: 'PowerCycle' });
export type PowerCycle = z.output<typeof PowerCycle>;

/** Why something may not be done now. */
export const Refusal = z
  .object({
    target: z.string(),
    code: z.enum([
      'unknown',
      'no-outlet',
      'not-reachable',
      'protected',
      'others-go-dark',
      'held',
      'cooling-down',
      'too-often',
      'switched-off',
      'under-way',
      'controller-failing',
      'not-possible',
    ]),
    detail: z.string(),
    until: Time.optional().meta({ description: 'when it will be possible' }),
    dark: z
      .array(z.string())
      .optional()
      .meta({ description: 'who else would lose power or network' }),
  })
  .meta({ id: 'Refusal' });
export type Refusal = z.output<typeof Refusal>;

const Refused = Problem.extend({ refused: z.array(Refusal) });

const Accepted = z.object({
  cycles: z.array(
    z.object({
      id: z.string(),
      target: z.string(),
      joined: z.boolean().meta({ description: 'it was being cycled already; this is that cycle' }),
    }),
  ),
  refused: z.array(Refusal).meta({ description: 'those left out, with `skipRefused`' }),
});

const skipRefused = z
  .boolean()
  .default(false)
  .meta({ description: 'go on without those that are refused, instead of refusing all' });
const force = z.boolean().default(false).meta({
  description:
    'cuts a running task, takes others along, and cuts what the daemon itself depends on where the hardware cycles by itself. On a failing controller it cycles one more target, and no other one within 10 minutes',
});
const ignoreLimits = z.boolean().default(false).meta({
  description:
    'cuts the power although `cooldownSeconds` or `maxPerHour` of rack.yaml, which protect the relay, do not allow it yet',
});

const idempotencyKey = z.object({
  'idempotency-key': z
    .string()
    .min(1)
    .max(200)
    .optional()
    .meta({ description: 'the same key within a day is the same request' }),
});

export const OutletStatus = z
  .object({
    outlet: z.string(),
    controller: z.string(),
    feeds: z.array(z.string()),
    state: z.enum(['on', 'off', 'unknown']).meta({ description: 'as read last' }),
    readAt: Time.optional(),
    delivering: z.boolean().optional(),
    fault: z.string().optional().meta({
      description: 'what the device calls a fault of the outlet; it is on and delivers no power',
    }),
    watts: z.number().optional(),
    mode: z.string().optional(),
    /** A person turned it off; nothing but a person turns it on. */
    switchedOff: z.object({ by: z.string(), at: Time, reason: z.string() }).optional(),
    /** Turned off for a cycle and not yet seen on again. */
    owedSince: Time.optional(),
    stuckOff: z.boolean(),
  })
  .meta({ id: 'OutletStatus' });
export type OutletStatus = z.output<typeof OutletStatus>;

export const ControllerStatus = z
  .object({
    name: z.string(),
    model: z.string(),
    state: z.enum(['up', 'down', 'failing', 'unknown']).meta({
      description:
        '`failing`: it answers, and an outlet of it is stuck off. Nothing else on it is turned off',
    }),
    since: Time.optional(),
    detail: z.string().optional().meta({ description: 'why it is down or failing' }),
    stuckOutlets: z
      .array(z.string())
      .optional()
      .meta({ description: 'outlets that do not come on again; absent: none' }),
    signInRejected: z
      .object({ times: z.int().min(1), since: Time, nextAttemptAt: Time })
      .optional()
      .meta({
        description:
          'it rejects the login; nothing contacts it before `nextAttemptAt`, unless the login or its secret is changed',
      }),
    onProvenAt: Time.optional().meta({
      description:
        'when the daemon last saw one of its outlets go from off to on; absent or longer than 10 minutes ago: one outlet is off at a time',
    }),
    experimental: z.boolean().meta({ description: 'its driver has only met our own simulator' }),
    queue: z.int().min(0),
    lastContact: Time.optional(),
  })
  .meta({ id: 'ControllerStatus' });
export type ControllerStatus = z.output<typeof ControllerStatus>;

export const MachinePower = z
  .object({
    name: z.string(),
    kind: z.enum(['machine', 'device', 'infrastructure']),
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
    hold: z.object({ id: z.string(), by: z.string(), until: Time, reason: z.string() }).optional(),
    needsHands: z.string().optional().meta({ description: 'repair by itself gave up, and why' }),
    possibleAt: Time.optional().meta({ description: 'when it may be cycled again; absent: now' }),
  })
  .meta({ id: 'MachinePower' });
export type MachinePower = z.output<typeof MachinePower>;

export const Hold = z
  .object({
    id: z.string(),
    target: z.string().meta({ description: 'a machine, a device, or the name of the rack: all' }),
    by: z.string(),
    since: Time,
    until: Time,
    reason,
  })
  .meta({ id: 'Hold' });
export type Hold = z.output<typeof Hold>;

const id = z.object({
  id: z
    .string()
    .min(1)
    .max(100)
    .meta({ description: 'the id, or its first or last part: 4 characters at least' }),
});

export const powerCycleDaemonApi = {
  requestCycles: route({
    method: 'post',
    path: '/v1/power-cycles',
    summary: 'Asks for machines, phones or devices to be power-cycled',
    description:
      'Everything is checked before anything is touched; when one target is refused, nothing happens (409, with each refusal), unless `skipRefused`. A target that is being cycled already joins that cycle.',
    role: 'operate',
    headers: idempotencyKey,
    body: z.strictObject({
      machines: z.array(name).min(1).max(maxTargets),
      reason,
      offSeconds: z.number().min(0.5).max(3600).optional(),
      mode: CycleMode.default('auto'),
      force,
      ignoreLimits,
      skipRefused,
    }),
    audits: {
      target: ['body.machines'],
      reason: 'body.reason',
      input: [
        'body.mode',
        'body.force',
        'body.ignoreLimits',
        'body.offSeconds',
        'body.skipRefused',
      ],
      omits: ['headers.idempotency-key'],
      answer: ['cycles', 'refused'],
    },
    answers: { 202: Accepted, 404: Refused, 409: Refused, 422: Problem, 503: Problem },
  }),
  requestDeviceCycles: route({
    method: 'post',
    path: '/v1/own-devices/power-cycles',
    summary: 'An agent asks, from its machine’s own address, for its own phones',
    tags: ['power-cycles'],
    body: z.strictObject({
      devices: z
        .array(z.string().min(1).max(100))
        .min(1)
        .max(32)
        .meta({ description: 'NAME or MACHINE-NAME' }),
      reason,
    }),
    audits: { elsewhere: 'as a request by the machine, which the daemon knows by its address' },
    answers: {
      202: Accepted,
      403: Problem,
      404: Refused,
      409: Refused,
      429: Problem,
      503: Problem,
    },
  }),
  cycles: route({
    method: 'get',
    path: '/v1/power-cycles',
    summary: 'Cycles, the newest first',
    role: 'view',
    query: z.strictObject({
      target: z.string().optional(),
      state: z.enum(['queued', 'running', 'finished']).optional(),
      outcome: Outcome.optional(),
      by: z.string().optional(),
      since: Time.optional(),
      limit: z.coerce.number().int().min(1).max(1000).default(100),
    }),
    answers: { 200: z.object({ cycles: z.array(PowerCycle) }), 404: Refused },
  }),
  cycle: route({
    method: 'get',
    path: '/v1/power-cycles/{id}',
    summary: 'One cycle, step by step',
    role: 'view',
    params: id,
    answers: { 200: PowerCycle, 404: Problem },
  }),
  cycleEvents: route({
    method: 'get',
    path: '/v1/power-cycles/events',
    summary: 'The state of each of these cycles now, and then each change',
    description:
      'Without `ids`, each change of any cycle. A new connection begins with the state again.',
    role: 'view',
    query: z.object({
      ids: z
        .union([z.string(), z.array(z.string())])
        .optional()
        .meta({ description: 'separated by commas' }),
    }),
    events: { cycle: PowerCycle },
    answers: { 200: undefined, 404: Problem, 503: Problem },
  }),
  cancelCycle: route({
    method: 'delete',
    path: '/v1/power-cycles/{id}',
    summary: 'Cancels a cycle that has not begun',
    role: 'operate',
    params: id,
    query: z.strictObject({ why: z.string().max(1000).optional() }),
    audits: { target: ['params.id'], reason: 'query.why', answer: ['target', 'action', 'outcome'] },
    answers: { 200: PowerCycle, 404: Problem, 409: Problem, 503: Problem },
  }),
  switchOutlets: route({
    method: 'post',
    path: '/v1/outlets',
    summary: 'Turns the power of machines, phones, devices or single outlets on or off',
    description:
      'Off stays, also over a reboot of the PDU: nothing turns it on again but this. An off that fails is `pending`: it is carried out once its controller can be spoken to. `on` cancels it.',
    role: 'operate',
    headers: idempotencyKey,
    body: z.strictObject({
      targets: z.array(name).min(1).max(maxTargets),
      state: z.enum(['on', 'off']),
      reason,
      force,
      ignoreLimits,
      skipRefused,
    }),
    audits: {
      target: ['body.targets'],
      reason: 'body.reason',
      input: ['body.state', 'body.force', 'body.ignoreLimits', 'body.skipRefused'],
      omits: ['headers.idempotency-key'],
      answer: ['cycles', 'refused'],
    },
    answers: { 202: Accepted, 404: Refused, 409: Refused, 422: Problem, 503: Problem },
  }),
  outlets: route({
    method: 'get',
    path: '/v1/outlets',
    summary: 'All outlets that feed something, as read last',
    role: 'view',
    answers: { 200: z.object({ outlets: z.array(OutletStatus) }) },
  }),
  forgetOwed: route({
    method: 'delete',
    path: '/v1/outlets/{outlet}/owed',
    summary: 'No longer tries to turn on an outlet of a device that has left rack.yaml',
    role: 'operate',
    params: z.object({ outlet: z.string().min(1).max(200) }),
    query: z.strictObject({ why: z.string().max(1000).optional() }),
    audits: { target: ['params.outlet'], reason: 'query.why' },
    answers: { 200: z.object({ outlet: z.string() }), 404: Problem, 409: Problem, 503: Problem },
  }),
  machines: route({
    method: 'get',
    path: '/v1/machines',
    summary:
      'Machines, their phones and the devices: where they hang, whether they have power, what happened last',
    role: 'view',
    query: z.strictObject({ name: z.union([z.string(), z.array(z.string())]).optional() }),
    answers: { 200: z.object({ machines: z.array(MachinePower) }), 404: Refused },
  }),
  controllers: route({
    method: 'get',
    path: '/v1/controllers',
    summary: 'Switches, PDUs and hubs: whether they answer',
    role: 'view',
    answers: { 200: z.object({ controllers: z.array(ControllerStatus) }) },
  }),
  holds: route({
    method: 'get',
    path: '/v1/holds',
    summary: 'What is under repair, and until when',
    role: 'view',
    answers: { 200: z.object({ holds: z.array(Hold) }) },
  }),
  ownHolds: route({
    method: 'get',
    path: '/v1/own-holds',
    summary: 'What of a machine and its phones is under repair, for the agent on it',
    description:
      'Asked from the machine’s own address, without a token. Holds of what it hangs on, and of the rack, are among them.',
    tags: ['holds'],
    answers: {
      200: z.object({
        holds: z.array(Hold.pick({ target: true, by: true, until: true, reason: true })),
      }),
      403: Problem,
    },
  }),
  hold: route({
    method: 'post',
    path: '/v1/holds',
    summary: 'Keeps everybody from cycling a machine, a switch and what hangs on it, or the rack',
    role: 'operate',
    body: z.strictObject({
      targets: z.array(name).min(1).max(maxTargets),
      until: Time.optional(),
      reason,
    }),
    audits: {
      target: ['body.targets'],
      reason: 'body.reason',
      input: ['body.until'],
      answer: ['holds'],
    },
    answers: { 201: z.object({ holds: z.array(Hold) }), 400: Problem, 404: Refused, 503: Problem },
  }),
  release: route({
    method: 'delete',
    path: '/v1/holds/{id}',
    summary: 'Ends a hold',
    role: 'operate',
    params: id,
    query: z.strictObject({ why: z.string().max(1000).optional() }),
    audits: { target: ['params.id'], reason: 'query.why', answer: ['target', 'by', 'until'] },
    answers: { 200: Hold, 404: Problem, 503: Problem },
  }),
  alerts: route({
    method: 'post',
    path: '/v1/alerts',
    summary: 'Webhook of Alertmanager (version 4): who is missing, for repair by itself',
    role: 'operate',
    audits: { elsewhere: 'as the request for a cycle that repair makes of it' },
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
    'Forgets the host key of a device that was swapped; the next one seen is pinned',
  ),
};
