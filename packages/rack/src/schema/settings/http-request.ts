/** Keys of everything that sends messages over HTTP: alert sinks, and the backup webhook. */

import { isExpression, seconds } from '@skolo/equipment/models';
import { z } from 'zod';
import { object, secret, word } from '../fields.ts';
import { httpUrl } from '../network-fields.ts';
import { receivers, responseMeanings } from './receivers.ts';

const pattern = z.string().refine(isExpression, { error: 'is not a valid regular expression' });

export const httpRequest = {
  template: z
    .enum(Object.keys(receivers))
    .exactOptional()
    .describe(
      'Receiver for which skolo provides the other keys, such as `body`. Keys that you set replace them.',
    ),
  url: httpUrl
    .exactOptional()
    .describe(
      'URL that receives a request for each message. Values in placeholders are percent-encoded. Required unless the template contains it.',
    ),
  to: word.exactOptional().describe('Channel, chat or topic: the value of `{{to}}` in a template.'),
  method: z.enum(['POST', 'PUT']).default('POST').describe('HTTP method.'),
  headers: z
    .record(z.string(), z.string())
    .default({})
    .describe('HTTP headers; `{{token}}` is replaced with the token.'),
  token: secret
    .exactOptional()
    .describe(
      'Bearer token, or the value of `{{token}}` if `url`, `headers` or `body` contains this placeholder.',
    ),
  body: z
    .string()
    .exactOptional()
    .describe(
      'Body template with fields such as `{{labels.alertname}}`, whose values are escaped in JSON and form bodies. `{{truncate(200, annotations.summary | "alert")}}` inserts at most 200 characters of the first value that is not blank. Default: the message as JSON.',
    ),
  resolved: object({
    path: z.string().describe('Template appended to `url`.'),
    body: z.string().describe('Body template.'),
  })
    .exactOptional()
    .describe('Request for messages whose `action` is `resolve`.'),
  responses: z
    .partialRecord(z.enum(responseMeanings), pattern)
    .exactOptional()
    .describe(
      'Regular expressions for responses by their meaning, such as `accepted: "^200 ok$"`. They are compared with the status, a space, and the first 2,000 characters of the text. Default: any 2xx is accepted unless it is JSON with `"ok": false`, and the status determines other meanings.',
    ),
  timeoutSeconds: seconds(0.1, 300)
    .default(10)
    .describe('Time limit after which a request is retried.'),
};

/** For a map with these keys, among others: adds the keys of the template. */
export function withTemplate<R extends z.output<z.ZodObject<typeof httpRequest>>>(
  request: R,
  context: z.RefinementCtx,
) {
  const defaults = receivers[request.template ?? ''];
  const url = request.url ?? defaults?.url;
  if (url === undefined) {
    const message = 'is missing; specify the URL that receives the messages';
    context.issues.push({ code: 'custom', path: ['url'], message, input: undefined });
    return z.NEVER;
  }
  const headers = { ...defaults?.headers, ...request.headers };
  const responses = { ...defaults?.responses, ...request.responses };
  return { ...defaults, ...request, url, headers, responses };
}
