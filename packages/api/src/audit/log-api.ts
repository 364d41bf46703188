/** The API of a service's audit log. Every service has this route, so no service's own API lists it. */
import { z } from 'zod';
import { Problem } from '../route/problem.ts';
import { route } from '../route/route.ts';
import { Time } from '../time.ts';

export const AuditEntry = z
  .object({
    time: Time.describe(
      "time according to the rack's clock. Entries stay in the order of events even if the clock is changed",
    ),
    who: z.string().describe('token name or e-mail address'),
    role: z.enum(['view', 'operate', 'admin']).optional(),
    from: z.string().optional().describe("the caller's address"),
    what: z.string().describe('kind of change, such as the route name'),
    target: z.string().optional().describe('affected machines, phones, outlets or equipment'),
    input: z
      .record(z.string(), z.unknown())
      .optional()
      .describe('other input, such as mode and force'),
    why: z.string().optional().describe('reason that the caller specified'),
    outcome: z
      .string()
      .describe(
        '`begun` before the change. A second entry has `done`, `accepted` (the change continues), `rejected: …` or `failed: …`; if it is missing, the service was interrupted',
      ),
    answer: z
      .record(z.string(), z.unknown())
      .optional()
      .describe('part of the response, such as IDs and rejected targets'),
    requestId: z.string().optional(),
  })
  .meta({ id: 'AuditEntry' });
export type AuditEntry = z.output<typeof AuditEntry>;

/** `2026-11.4211`: a month, and a byte offset in its file. */
const cursor = z
  .string()
  .regex(/^\d{4}-\d{2}\.\d{1,15}$/, 'expected the `before` value from an earlier response');
const filter = z.string().max(200).optional();

export const AuditPage = z
  .object({
    entries: z.array(AuditEntry),
    older: z
      .object({ before: cursor, time: Time })
      .optional()
      .describe(
        'end of the search: `before` requests the next page, and `time` is that of the oldest entry searched. Absent if there are no older entries',
      ),
    skipped: z.int().min(0).describe('number of damaged lines that the search skipped'),
  })
  .meta({ id: 'AuditPage' });
export type AuditPage = z.output<typeof AuditPage>;

export const auditApi = {
  audit: route({
    method: 'get',
    path: '/v1/audit',
    summary:
      'Returns the audit log: who changed what, and which requests were rejected, newest first',
    description:
      'Both entries for a change have the same `requestId`. Each request reads at most 4 MiB of the log, so a page may have fewer than `limit` entries, or none, even if older entries exist.',
    // Not `view`, which `anonymousRead` may grant to a network: reasons and addresses are about people.
    role: 'operate',
    query: z.strictObject({
      limit: z.coerce.number().int().min(1).max(1000).default(100),
      before: cursor.optional(),
      who: filter.describe('only entries whose name contains this text'),
      text: filter.describe('only entries that contain all these words, not counting the name'),
    }),
    answers: { 200: AuditPage, 503: Problem },
  }),
};
