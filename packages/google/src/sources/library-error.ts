import { z } from 'zod';
import { rejectedBy, SignInError, unreachable } from '../sign-in-error.ts';

/** What google-auth-library throws after an answer, whatever class it is of; and where it asked. */
const Answered = z.looseObject({
  response: z.looseObject({ status: z.number(), data: z.unknown() }),
});
const Asked = z.looseObject({ config: z.looseObject({ url: z.instanceof(URL) }) });

/** Turns what google-auth-library throws, which quotes requests, into an error that may be logged. */
export function withoutSecrets(error: unknown, what: string): SignInError {
  if (error instanceof SignInError) return error;
  if (error instanceof Error && error.cause instanceof SignInError) return error.cause;
  const who = Asked.safeParse(error).data?.config.url.host ?? what;
  const answer = Answered.safeParse(error).data?.response;
  return answer ? rejectedBy(who, answer.status, answer.data) : unreachable(who, error);
}
