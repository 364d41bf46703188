/** The web console's sign-in API: a browser session instead of a token in each request. */
import { z } from 'zod';
import { Problem } from './route/problem.ts';
import { route } from './route/route.ts';
import { Time } from './time.ts';

const role = z.enum(['view', 'operate', 'admin']);

export const ConsoleSession = z
  .object({
    rack: z.string(),
    version: z
      .string()
      .describe('service version; pages from a different version reload themselves'),
    name: z.string().describe('token name, e-mail address, or `anonymous`'),
    role,
    onlyReads: z
      .string()
      .optional()
      .describe(
        'why the session has the view role, whatever its token allows: its sign-in is not in the audit log yet',
      ),
    signedIn: z
      .boolean()
      .describe(
        'whether the caller has signed in; false for anonymous access, which rack.yaml can grant to a network',
      ),
    expiresAt: Time.optional().describe('when the session ends; absent if there is no session'),
  })
  .meta({ id: 'ConsoleSession' });
export type ConsoleSession = z.output<typeof ConsoleSession>;

const cookie = z.object({ cookie: z.string().optional() });

export const consoleApi = {
  session: route({
    method: 'get',
    path: '/v1/session',
    summary: 'Returns information about the caller, as shown in the console',
    role: 'view',
    headers: cookie,
    answers: { 200: ConsoleSession },
  }),
  signIn: route({
    method: 'post',
    path: '/v1/session',
    summary: 'Starts a session: exchanges a token, or the code from a sign-in link, for a cookie',
    repeated: "opens a second session, or returns 401 for a link's code, which is valid only once",
    role: 'anyone',
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
      elsewhere: 'recorded with the token name; unknown callers are only counted and logged',
    },
    answers: { 201: ConsoleSession, 401: Problem, 403: Problem, 503: Problem },
  }),
  signOut: route({
    method: 'delete',
    path: '/v1/session',
    summary: 'Ends the session that the cookie identifies',
    repeated: "401, or 204 if the caller's network has read access",
    role: 'view',
    headers: cookie,
    audits: { elsewhere: 'recorded later if the disk is full' },
    answers: { 204: undefined },
  }),
  createLink: route({
    method: 'post',
    path: '/v1/console-links',
    summary:
      'Returns a single-use code that signs in a browser as the caller; it expires after a minute',
    repeated: 'creates a second code; the first remains valid',
    description:
      'To use the code, open `/#/sign-in?code=CODE`. Browsers do not send this fragment to servers, so the code does not appear in logs.',
    role: 'view',
    headers: z.object({ authorization: z.string().optional() }),
    audits: { elsewhere: 'recorded later if the disk is full' },
    answers: { 201: z.object({ code: z.string(), expiresAt: Time }), 403: Problem, 503: Problem },
  }),
};
