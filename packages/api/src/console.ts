/** The API of the web console's sign-in: a session of a browser instead of a token in each request. */
import { z } from 'zod';
import { Problem } from './route/problem.ts';
import { route } from './route/route.ts';
import { Time } from './time.ts';

const role = z.enum(['view', 'operate', 'admin']);

export const ConsoleSession = z
  .object({
    rack: z.string(),
    version: z.string().describe('of the service; pages of another version reload'),
    name: z.string().describe('name of the token, e-mail address, or `anonymous`'),
    role,
    signedIn: z.boolean().describe('false: the network of the caller has read access'),
    expiresAt: Time.optional().describe('when the session ends; absent: there is none'),
    hasOtherRacks: z.boolean().optional().describe('the page of all racks is one path above'),
  })
  .meta({ id: 'ConsoleSession' });
export type ConsoleSession = z.output<typeof ConsoleSession>;

const cookie = z.object({ cookie: z.string().optional() });

export const consoleApi = {
  session: route({
    method: 'get',
    path: '/v1/session',
    summary: 'Caller of this request, as the console shows it',
    role: 'view',
    headers: cookie,
    answers: { 200: ConsoleSession },
  }),
  signIn: route({
    method: 'post',
    path: '/v1/session',
    summary: 'Starts a session: exchanges a token, or the code of a link, for a cookie',
    body: z
      .strictObject({
        token: z.string().min(1).max(10_000).optional(),
        code: z.string().min(1).max(200).optional(),
      })
      .refine(({ token, code }) => (token === undefined) !== (code === undefined), {
        error: 'send either a token or a code',
      }),
    mostBodyBytes: 16 * 1024,
    audits: {
      elsewhere: 'with the name of the token; unknown callers are only counted and logged',
    },
    answers: { 201: ConsoleSession, 401: Problem, 403: Problem, 503: Problem },
  }),
  signOut: route({
    method: 'delete',
    path: '/v1/session',
    summary: 'Ends the session of the cookie',
    role: 'view',
    headers: cookie,
    audits: { target: 'self', omits: ['headers.cookie'] },
    answers: { 204: undefined },
  }),
  createLink: route({
    method: 'post',
    path: '/v1/console-links',
    summary: 'Returns a code that signs a browser in as the caller, once, within a minute',
    description:
      'Open `/#/sign-in?code=CODE`. The fragment is not sent to servers, so it is in no log.',
    role: 'view',
    headers: z.object({ authorization: z.string().optional() }),
    audits: { target: 'self', omits: ['headers.authorization'], answer: ['expiresAt'] },
    answers: { 201: z.object({ code: z.string(), expiresAt: Time }), 403: Problem, 503: Problem },
  }),
};
