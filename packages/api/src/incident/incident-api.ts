/** Incidents of a rack: which machines fell silent together, why as far as it was known, and who came back when. */
import { z } from 'zod';
import { Problem } from '../route/problem.ts';
import { route } from '../route/route.ts';
import { Time } from '../time.ts';
import { asCaller, Missing, TimelineRow } from '../timeline/timeline-api.ts';
import { Cause, text as words } from './cause.ts';

const texts = z.array(z.string());
const text = z.string();

/** A reading about a machine that did not return, or what follows from all of them. */
export const Evidence = z
  .object({
    kind: z.enum([
      'switched-off',
      'outlet-off',
      'outlet-fault',
      'equipment-down',
      'no-link',
      'no-answer',
      'agent-silent',
    ]),
    text: words,
  })
  .meta({ id: 'Evidence' });
export type Evidence = z.output<typeof Evidence>;

export const IncidentMachine = z
  .object({
    name: text,
    at: Time.describe('its last answer before it fell silent'),
    answeredAt: Time.optional().describe('when it responded again; absent until then'),
    times: z.int().optional().describe('number of its silences, if there were several'),
    left: z
      .object({ at: Time, as: z.enum(['left', 'planned', 'not-known']) })
      .optional()
      .describe(
        'how it left the incident without an answer; `left`: it is no longer in rack.yaml; `planned`: it is in maintenance; `not-known`: its end was not recorded',
      ),
    lost: texts.describe('IDs of its tasks that ended because of this'),
  })
  .meta({ id: 'IncidentMachine' });
export type IncidentMachine = z.output<typeof IncidentMachine>;

export const Away = z
  .object({
    name: text,
    shelf: text,
    place: z.int().describe('its number on the shelf'),
    evidence: z.array(Evidence).describe('why it may be silent: first what a person can change'),
    todo: words,
  })
  .meta({ id: 'Away' });
export type Away = z.output<typeof Away>;

export const Incident = z
  .object({
    id: text.describe(
      'from its first silence; it stays the same if the time of that is corrected, and an ID that was merged into another leads to that',
    ),
    title: words.describe(
      'its cause and the number of machines, such as `switch-3, 20 machines`, or else their names, folded to ranges',
    ),
    cause: Cause.optional().describe('what explained the most machines at one time'),
    since: Time.describe('the last answer of the machine that fell silent first'),
    to: Time.optional().describe('when the last machine responded; absent while one is silent'),
    began: texts.describe('machines that fell silent in its first minute; the others joined later'),
    machines: z.array(IncidentMachine).describe('in the order in which they fell silent'),
    causes: z
      .array(z.object({ at: Time, cause: Cause.optional(), why: words, machines: z.int() }))
      .describe('as they were known at each time; absent once nothing explains the rest'),
  })
  .meta({ id: 'Incident' });
export type Incident = z.output<typeof Incident>;

export const IncidentReport = Incident.extend({
  away: z.array(Away).describe('machines that have not come back, by shelf and place'),
  differences: texts.describe('what those that did not return share, and the others do not'),
  url: text.optional().describe('its page, if rack.yaml has `consoleUrl`'),
  rows: z
    .array(TimelineRow)
    .describe('what was done during it, and what changed in the hour before, oldest first'),
  seenBefore: z
    .object({ times: z.int(), since: Time, last: text })
    .optional()
    .describe('earlier incidents of the same cause: their number, the first, and the last ID'),
  missing: Missing,
}).meta({ id: 'IncidentReport' });
export type IncidentReport = z.output<typeof IncidentReport>;

export const incidentsApi = {
  incidents: route({
    method: 'get',
    path: '/v1/incidents',
    summary: 'Lists incidents: machines that fell silent together, and came back or did not',
    role: 'view',
    query: z.strictObject({
      since: Time.optional().describe('default: 12 hours before `until`'),
      until: Time.optional().describe('default: now'),
      limit: z.coerce.number().int().min(1).max(1000).default(100),
    }),
    answers: {
      200: z.object({
        incidents: z.array(Incident).describe('newest first'),
        truncated: z.boolean(),
        missing: Missing,
      }),
      422: Problem,
    },
  }),
  incident: route({
    method: 'get',
    path: '/v1/incidents/{id}',
    summary: 'Returns an incident with what was done, and what changed just before',
    description:
      'Rows of the audit logs require the operate role. A service that does not respond within a few seconds is listed in `missing`.',
    role: 'view',
    params: z.object({
      id: z
        .string()
        .min(1)
        .max(300)
        .describe(
          'an ID; `last`; the name of a cause or machine for its last one; or `all` for those of a period as one, for example of a night',
        ),
    }),
    query: z.strictObject({
      since: Time.optional().describe('of `all`; default: 12 hours before `until`'),
      until: Time.optional().describe('of `all`; default: now'),
    }),
    headers: asCaller,
    answers: { 200: IncidentReport, 404: Problem, 503: Problem },
  }),
};
