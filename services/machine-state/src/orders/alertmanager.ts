/** Silences of Alertmanager, API v2: https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml */
import { type Client, createClient, route } from '@skolo/api';
import { z } from 'zod';

const Matcher = z.object({
  name: z.string(),
  value: z.string(),
  isRegex: z.boolean(),
  isEqual: z.boolean().default(true),
});

export const Silence = z.object({
  id: z.string(),
  status: z.object({ state: z.enum(['expired', 'active', 'pending']) }),
  createdBy: z.string(),
  comment: z.string(),
  matchers: z.array(Matcher),
  endsAt: z.string(),
});
export type Silence = z.output<typeof Silence>;

const elsewhere = 'as the maintenance order';

const silencesApi = {
  silences: route({
    method: 'get',
    path: '/api/v2/silences',
    summary: 'Lists all silences',
    role: 'anyone',
    answers: { 200: z.array(Silence) },
  }),
  setSilence: route({
    method: 'post',
    path: '/api/v2/silences',
    summary: 'Creates a silence or, with an ID, changes or replaces an existing one',
    role: 'anyone',
    body: z.object({
      id: z.string().optional(),
      matchers: z.array(Matcher),
      startsAt: z.string(),
      endsAt: z.string(),
      createdBy: z.string(),
      comment: z.string(),
    }),
    audits: { elsewhere },
    answers: { 200: z.object({ silenceID: z.string() }) },
  }),
  endSilence: route({
    method: 'delete',
    path: '/api/v2/silence/{id}',
    summary: 'Ends a silence',
    role: 'anyone',
    params: z.object({ id: z.string() }),
    audits: { elsewhere },
    answers: { 200: undefined },
  }),
};
export type Alertmanager = Client<typeof silencesApi>;

export function alertmanagerClient(baseUrl: string): Alertmanager {
  return createClient(silencesApi, { baseUrl, timeoutMs: 5000, mostBytes: 8 * 1024 * 1024 });
}
