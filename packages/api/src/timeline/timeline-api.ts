/** The timeline of a rack: what happened, from all services, for the next person on call. */
import { z } from 'zod';
import { PowerAction } from '../power-cycle-daemon.ts';
import { Problem } from '../route/problem.ts';
import { route } from '../route/route.ts';
import { Time } from '../time.ts';

const texts = z.array(z.string());

/** Events with the same minute and cause, or of the same request. */
export const TimelineRow = z
  .object({
    at: Time.describe('when the first event began'),
    endedAt: Time.optional().describe('when all events had ended'),
    until: Time.optional().describe('when a hold or an order is due to end'),
    kind: z
      .enum([
        'silent',
        'quarantined',
        'down',
        'cycle',
        'alert',
        'configuration',
        'rack-file',
        'rollout',
        'hold',
        'on-it',
        'order',
        'note',
        'change',
        'sign-in',
      ])
      .describe(
        '`silent`, `quarantined`: until machines responded or accepted tasks again; `down`: a service did not respond, or machine-state did not run; `change`: another entry of the audit logs',
      ),
    text: z.string(),
    by: z.string().optional().describe('the person, job or service whose action it is'),
    action: PowerAction.optional().describe('of a row `cycle`'),
    where: z.string().describe('machines, phones or equipment, folded to ranges; may be empty'),
    names: texts.describe('the same names'),
    details: texts.describe('further lines, such as failures, or changes of rack.yaml'),
    versions: z
      .array(z.object({ equipment: z.string(), from: z.string(), to: z.string() }))
      .describe('versions of configurations for `GET /v1/equipment/{equipment}/diff`'),
  })
  .meta({ id: 'TimelineRow' });
export type TimelineRow = z.output<typeof TimelineRow>;

export const Missing = z
  .array(z.object({ source: z.string(), why: z.string(), since: Time.optional() }))
  .describe('sources that did not respond completely; events may be missing');

/** Some rows require a role. */
export const asCaller = z.object({ authorization: z.string().max(10_000).optional() });

const Machines = z.object({ count: z.int(), where: z.string().describe('folded to ranges') });

export const Timeline = z
  .object({
    rack: z.string(),
    since: Time,
    until: Time,
    rows: z.array(TimelineRow).describe('oldest first'),
    truncated: z.boolean().describe('whether older events were omitted'),
    unhealthy: z
      .array(z.tuple([z.int(), z.int()]))
      .describe(
        'Unix time in seconds, and the number of silent or quarantined machines from then on',
      ),
    worse: Machines.optional().describe(
      'machines that became unhealthy, and still are; absent if the history could not be read, as are `better` and `waiting`',
    ),
    better: Machines.optional().describe('machines that were unhealthy, and are not any more'),
    waiting: z
      .object({ machine: z.string(), since: Time, text: z.string() })
      .optional()
      .describe('machine that has been unhealthy for the longest time'),
    missing: Missing,
    omitsAudit: z
      .boolean()
      .describe('whether the audit logs are omitted, because they require the operate role'),
  })
  .meta({ id: 'Timeline' });
export type Timeline = z.output<typeof Timeline>;

export const timelineApi = {
  timeline: route({
    method: 'get',
    path: '/v1/timeline',
    summary: 'Lists what happened in the rack, from all services: the handover',
    description:
      'Rows of the audit logs require the operate role. A service that does not respond within a few seconds is listed in `missing`, and hides nothing else.',
    role: 'view',
    query: z.strictObject({
      since: Time.optional().describe('default: 12 hours before `until`'),
      until: Time.optional().describe('default: now; at most 31 days after `since`'),
    }),
    headers: asCaller,
    answers: { 200: Timeline, 422: Problem },
  }),
};
