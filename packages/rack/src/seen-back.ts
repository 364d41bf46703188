/** How a machine is seen to be back after a power cycle: exactly one of the three. */
import { z } from 'zod';
import { object } from './fields.ts';
import { httpUrl, portNumber } from './network-fields.ts';
import type { SeenBack } from './rack.ts';

const ways = {
  ssh: portNumber.exactOptional().describe('It answers as an ssh server at this port.'),
  http: httpUrl.exactOptional().describe('This URL answers with a status below 400.'),
  icmp: z.literal(true).exactOptional().describe('It answers a ping.'),
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
  return [ssh, http, icmp].filter((way) => way !== undefined).length === 1;
}

const error = 'takes exactly one of { ssh: 22 }, { http: URL }, { icmp: true }';

export const seenBack = object(ways).refine(exactlyOne, { error }).transform(one);

/** The same with a time-out of its own, as a machine has it. */
export const seenBackWithin = object({
  ...ways,
  timeoutSeconds: z
    .number()
    .int()
    .min(1)
    .max(86_400)
    .exactOptional()
    .describe('How long it may take.'),
})
  .refine(exactlyOne, { error })
  .transform((written): SeenBack & { timeoutSeconds?: number } => ({
    ...one(written),
    ...(written.timeoutSeconds !== undefined && { timeoutSeconds: written.timeoutSeconds }),
  }));
