/** Anything that HTTP requests switch. `{outlet}` in a template is the outlet, escaped for its context. */
import { z } from 'zod';
import type { Model } from '../contract/model.ts';
import { expression, free, outlets, readBack } from '../families/described-facts.ts';

const request = {
  method: z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']).default('GET').describe('How.'),
  path: z
    .string()
    .regex(/^\//, 'a path must start with /')
    .describe('Path and query, such as /relay/{outlet}?turn=on.'),
  body: z.string().exactOptional().describe('Body, in which {outlet} is replaced.'),
  headers: z
    .record(z.string(), z.string())
    .default({})
    .describe('Request headers, without secrets.'),
};

const action = z.strictObject({
  ...request,
  expect: expression
    .exactOptional()
    .describe(
      'Regular expression that the response must match, in addition to a status of 200 to 299.',
    ),
});

export const httpSwitch = {
  name: 'http-switch',
  label: 'switch over HTTP',
  transports: ['http'],
  power: {
    outlets: free,
    offSeconds: 10,
    nativeCycle: false,
    load: () => import('./http-switch.ts'),
  },
  backup: { no: 'its configuration is unknown' },
  accounts: { no: 'only its outlets are described in rack.yaml' },
  options: {
    outlets,
    https: z.boolean().default(false).describe('Uses https instead of plain http.'),
    on: action.describe('Turns an outlet on.'),
    off: action.describe('Turns an outlet off.'),
    read: z.strictObject({ ...request, ...readBack }).describe('Reads the state of an outlet.'),
  },
} satisfies Model;
