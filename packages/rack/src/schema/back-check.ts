/** `seenBack`: the check that a machine is back after a power cycle, exactly one of three. */
import { z } from 'zod';
import { object } from './fields.ts';
import { httpUrl, portNumber } from './network-fields.ts';

/** Check that a machine is back after a power cycle. */
export type SeenBack = { ssh: number } | { http: string } | { icmp: true };

const checks = {
  ssh: portNumber.exactOptional().describe('Port on which an SSH server must respond.'),
  http: httpUrl.exactOptional().describe('URL that must return a status below 400.'),
  icmp: z.literal(true).exactOptional().describe('Whether the machine must respond to pings.'),
};

interface Written {
  ssh?: number | undefined;
  http?: string | undefined;
  icmp?: true | undefined;
}

function one({ ssh, http, icmp }: Written): SeenBack {
  if (ssh !== undefined) return { ssh };
  if (http !== undefined) return { http };
  return { icmp: icmp ?? true };
}

function exactlyOne({ ssh, http, icmp }: Written): boolean {
  return [ssh, http, icmp].filter((check) => check !== undefined).length === 1;
}

const error = 'expected exactly one of { ssh: 22 }, { http: URL }, { icmp: true }';

export const seenBack = object(checks).refine(exactlyOne, { error }).transform(one);

/** With a deadline, for a machine. */
export const seenBackWithin = object({
  ...checks,
  timeoutSeconds: z
    .number()
    .int()
    .min(1)
    .max(86_400)
    .exactOptional()
    .describe('Time limit for the machine to come back up.'),
})
  .refine(exactlyOne, { error })
  .transform((written): SeenBack & { timeoutSeconds?: number } => ({
    ...one(written),
    ...(written.timeoutSeconds !== undefined && { timeoutSeconds: written.timeoutSeconds }),
  }));
