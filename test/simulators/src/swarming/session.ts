/** What a bot sends back with each request: nothing that it could read a meaning from. */
import { z } from 'zod';

const Session = z.object({
  bot: z.string(),
  expires: z.number(),
  rev: z.string(),
  key: z.string(),
});
export type Session = z.output<typeof Session>;

export function sealed(session: Session): string {
  return Buffer.from(JSON.stringify(session)).toString('base64');
}

/** Undefined: no server made it. */
export function opened(text: unknown): Session | undefined {
  if (typeof text !== 'string') return undefined;
  try {
    return Session.parse(JSON.parse(Buffer.from(text, 'base64').toString()));
  } catch {
    return undefined;
  }
}
