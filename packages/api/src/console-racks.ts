/** The API of `skolo console RACK…`: the racks that it shows, for the overview page. */
import { z } from 'zod';
import { CommonCause } from './machine-state.ts';
import { Problem } from './route/problem.ts';
import { route } from './route/route.ts';
import { Time } from './time.ts';

const name = z.string().min(1).max(200);
const many = z.int().min(0);

export const ConsoleRack = z
  .object({
    name,
    connection: z
      .enum(['connecting', 'live', 'lost'])
      .describe('`connecting`: the state is not yet known; `lost`: skolo is trying to reconnect'),
    since: Time.describe('when the connection entered this state'),
    why: z.string().optional().describe('why the connection was lost, and what to do'),
    known: z
      .object({
        machines: many,
        needsAttention: many.describe(
          'number of machines that need attention, excluding those affected by a common cause',
        ),
        causes: z.array(CommonCause.omit({ machines: true }).extend({ machines: many })),
        alerts: many.describe('number of firing alerts that do not belong to a machine'),
        services: z.array(name).describe('services that are not ready or are degraded'),
      })
      .optional()
      .describe('current or last known data; absent if skolo has never connected to the rack'),
  })
  .meta({ id: 'ConsoleRack' });
export type ConsoleRack = z.output<typeof ConsoleRack>;

export const consoleRacksApi = {
  racks: route({
    method: 'get',
    path: '/v1/racks',
    summary: 'Lists racks, worst first',
    role: 'view',
    answers: { 200: z.object({ racks: z.array(ConsoleRack) }), 401: Problem },
  }),
  signIn: route({
    role: 'anyone',
    method: 'post',
    path: '/v1/session',
    summary:
      'Starts a session: exchanges the code from the link that skolo console prints for a cookie',
    repeated: '401',
    body: z.strictObject({ code: z.string().min(1).max(200) }),
    mostBodyBytes: 1024,
    audits: { elsewhere: 'changes are recorded in the rack where they are made' },
    answers: { 204: undefined, 401: Problem, 403: Problem },
  }),
};
