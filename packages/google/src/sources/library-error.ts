import { z } from 'zod';
import { rejectedBy, SignInError, unreachable } from '../sign-in-error.ts';

/** Errors that google-auth-library throws after a response, of any class, with the URL. */
const Answered = z.looseObject({
  response: z.looseObject({ status: z.number(), data: z.unknown() }),
});
const Asked = z.looseObject({ config: z.looseObject({ url: z.instanceof(URL) }) });

/** Converts google-auth-library's errors, which quote requests, to loggable errors. */
export function withoutSecrets(error: unknown, what: string): SignInError {
  if (error instanceof SignInError) return error;
  if (error instanceof Error && error.cause instanceof SignInError) return error.cause;
  const who = Asked.safeParse(error).data?.config.url.host ?? what;
  const answer = Answered.safeParse(error).data?.response;
  return answer ? rejectedBy(who, answer.status, answer.data) : unreachable(who, error);
}
