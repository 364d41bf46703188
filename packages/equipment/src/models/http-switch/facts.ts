/**
 * Anything that HTTP requests switch. `{outlet}` in a template is the outlet, escaped for its context; `{outlet-1}` and `{outlet+1}` are the
 * numbers beside it.
 */
import { isObject } from '@skolo/base';
import { z } from 'zod';
import { type Contradiction, type Model, type Options, timeoutSeconds } from '../contract/model.ts';
import {
  expression,
  free,
  outletErrors,
  outlets,
  readBack,
  sameTwice,
} from '../families/described-facts.ts';

const pointer = z
  .string()
  .regex(/^(\/.*)?$/s, 'a JSON pointer such as /Outputs/0/State starts with /')
  .max(200);

const request = (example: string) => ({
  method: z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']).default('GET').describe('HTTP method.'),
  path: z
    .string()
    .regex(/^\//, 'a path must start with /')
    .describe(`Path and query, such as ${example}.`),
  body: z
    .string()
    .exactOptional()
    .describe(
      "Request body. In it, in the path and in `read`, skolo replaces {outlet} with the outlet's name, and {outlet-1} and {outlet+1} with the numbers before and after it.",
    ),
  headers: z
    .record(z.string(), z.string())
    .default({})
    .describe('Request headers. For credentials, use `login` instead.'),
});

const action = (example: string) =>
  z.strictObject({
    ...request(example),
    expect: expression
      .exactOptional()
      .describe('Regular expression that the response must match, in addition to a 2xx status.'),
  });

/** The part of a request that a device sees. */
function sent(request: unknown): unknown {
  const { method, path, body, headers } = isObject(request) ? request : {};
  return { method, path, body, headers };
}

export const httpSwitch = {
  name: 'http-switch',
  label: 'switch controlled over HTTP',
  transports: ['http'],
  power: {
    outlets: free,
    offSeconds: 10,
    nativeCycle: false,
    description: ({ on, off, read }) => ({ on, off, read }),
    load: () => import('./http-switch.ts'),
  },
  backup: { no: "rack.yaml describes only the switch's outlets" },
  options: {
    outlets,
    https: z.boolean().default(false).describe('Whether to use HTTPS instead of HTTP.'),
    timeoutSeconds: timeoutSeconds(5),
    on: action('/relay/{outlet}?turn=on').describe('Request that turns an outlet on.'),
    off: action('/relay/{outlet}?turn=off').describe('Request that turns an outlet off.'),
    read: z
      .strictObject({
        ...request('/relay/{outlet}'),
        list: pointer
          .exactOptional()
          .describe('JSON pointer to the list that has an element for each outlet.'),
        where: z
          .record(z.string(), z.string())
          .exactOptional()
          .describe("Fields of the outlet's element in `list`, such as `{ ID: '{outlet}' }`."),
        value: pointer
          .exactOptional()
          .describe('JSON pointer to the state, within the element or the response.'),
        ...readBack,
        watts: pointer
          .exactOptional()
          .describe('JSON pointer to the power in watts, within the element or the response.'),
      })
      .describe(
        'Request that reads the state of an outlet. Without {outlet} in the request, one request reads all outlets.',
      ),
  },
  contradictions: (options) => [
    ...outletErrors(options, ['on', 'off', 'read']),
    ...placeErrors(options),
    ...sameTwice({
      on: ['on', sent(options.on)],
      off: ['off', sent(options.off)],
      query: ['read', sent(options.read)],
      read: options.read,
    }),
  ],
} satisfies Model;

function placeErrors({ read }: Options): Contradiction[] {
  const { list, where, value, watts } = isObject(read) ? read : {};
  const found: Contradiction[] = [];
  if ((list === undefined) !== (where === undefined))
    found.push({ key: 'read', what: 'needs both `list` and `where`, or none of them' });
  if (value === undefined && (list ?? watts) !== undefined)
    found.push({ key: 'read', what: 'has no `value`, the place of the state in the response' });
  return found;
}
