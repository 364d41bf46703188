/** How long a token is valid: the one reading of what token endpoints, files and tokens say. */
import { z } from 'zod';
import { SignInError } from './sign-in-error.ts';

/** In seconds. A shorter life would be over before the token is used, or would cause a request for each call. */
const leastLife = 60;
/** In seconds. Service accounts' tokens live for at most 12 hours; more is not believed. */
const mostLife = 12 * 3600;

/** `expires_in` in seconds (RFC 6749, section 5.1), which some endpoints write as text. */
const TokenLife = z.preprocess(
  (value) => (/number|string/.test(typeof value) ? Math.min(mostLife, Number(value)) : value),
  z.number({ error: 'the lifetime is not a number of seconds' }).min(leastLife, {
    error: ({ input }) =>
      `the token is valid for ${Math.floor(Number(input))} s, but at least ${leastLife} s are required`,
  }),
);

/** What a token endpoint returns. */
export const TokenAnswer = z.looseObject({
  access_token: z.string().min(1),
  expires_in: TokenLife,
});

/** @throws SignInError `what` lives for too short a time. */
export function tokenLife(seconds: number, what: string): number {
  const { data, error } = TokenLife.safeParse(seconds);
  if (data !== undefined) return data;
  throw new SignInError('unexpected-answer', `${what}: ${error.issues[0]?.message}`);
}
