import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { metadataServerApi } from '../metadata-server.ts';
import { openApiDocument } from './openapi.ts';
import { Problem } from './problem.ts';
import { route } from './route.ts';

const info = { title: 'Things of rack4', version: '1.2.3' };
const Thing = z
  .object({ name: z.string().meta({ description: 'its name' }) })
  .meta({ id: 'Thing' });
const Busy = Problem.extend({ holder: z.string() }).meta({ id: 'Busy' });
const api = {
  things: route({
    method: 'get',
    path: '/v1/things',
    summary: 'All things',
    role: 'view',
    query: z.object({ limit: z.coerce.number().int().max(100).default(10) }),
    answers: { 200: z.object({ things: z.array(Thing) }) },
  }),
  changeThing: route({
    method: 'put',
    path: '/v1/things/{name}',
    summary: 'Change a thing',
    description: 'At length.',
    tags: ['changes'],
    role: 'operate',
    params: z.object({ name: z.string() }),
    body: z.object({ offSeconds: z.number().min(1) }),
    audits: { target: ['params.name'], input: ['body.offSeconds'] },
    answers: { 200: Thing, 204: undefined, 409: Busy, 404: Busy },
  }),
  ping: route({
    method: 'get',
    path: '/v1/ping',
    summary: 'Hello',
    role: 'anyone',
    answers: { 204: undefined },
  }),
};

const problemStatuses = ['400', '401', '403', '404', '405', '429', '500'];

describe('openApiDocument', () => {
  const document = parsed(openApiDocument(info, api));

  it('is OpenAPI 3.1 with the service’s name, tags and sign-in', () => {
    expect(document.openapi).toBe('3.1.0');
    expect(document.info).toEqual(info);
    expect(document.tags).toEqual([{ name: 'changes' }, { name: 'ping' }, { name: 'things' }]);
    expect(document.components.securitySchemes).toEqual({
      bearer: { type: 'http', scheme: 'bearer', description: expect.any(String) },
    });
    expect(Object.keys(document.paths)).toEqual(['/v1/things', '/v1/things/{name}', '/v1/ping']);
  });

  it('describes a route that reads', () => {
    expect(document.paths['/v1/things']?.get).toEqual({
      operationId: 'things',
      summary: 'All things',
      tags: ['things'],
      security: [{ bearer: [] }],
      'x-skolo-role': 'view',
      parameters: [
        {
          in: 'query',
          name: 'limit',
          required: false,
          schema: { type: 'integer', maximum: 100, default: 10 },
        },
      ],
      responses: {
        ...problems(problemStatuses),
        200: {
          description: 'OK',
          content: {
            'application/json': {
              schema: {
                type: 'object',
                properties: {
                  things: { type: 'array', items: { $ref: '#/components/schemas/Thing' } },
                },
                required: ['things'],
              },
            },
          },
        },
      },
    });
  });

  it('describes a route that changes something, with answers of its own', () => {
    const busy = { schema: { $ref: '#/components/schemas/Busy' } };
    expect(document.paths['/v1/things/{name}']?.put).toEqual({
      operationId: 'changeThing',
      summary: 'Change a thing',
      description: 'At length.',
      tags: ['changes'],
      security: [{ bearer: [] }],
      'x-skolo-role': 'operate',
      parameters: [{ in: 'path', name: 'name', required: true, schema: { type: 'string' } }],
      requestBody: {
        required: true,
        content: {
          'application/json': {
            schema: {
              type: 'object',
              properties: { offSeconds: { type: 'number', minimum: 1 } },
              required: ['offSeconds'],
            },
          },
        },
      },
      responses: {
        ...problems(problemStatuses),
        200: {
          description: 'OK',
          content: { 'application/json': { schema: { $ref: '#/components/schemas/Thing' } } },
        },
        204: { description: 'No Content' },
        404: { description: 'Not Found', content: { 'application/problem+json': busy } },
        409: { description: 'Conflict', content: { 'application/problem+json': busy } },
      },
    });
  });

  it('lets everybody use a route without a role', () => {
    expect(document.paths['/v1/ping']?.get).toEqual({
      operationId: 'ping',
      summary: 'Hello',
      tags: ['ping'],
      security: [],
      responses: { ...problems(problemStatuses), 204: { description: 'No Content' } },
    });
  });

  it('has each named schema once, as a component', () => {
    expect(Object.keys(document.components.schemas).sort()).toEqual(['Busy', 'Problem', 'Thing']);
    expect(document.components.schemas.Thing).toEqual({
      type: 'object',
      properties: { name: { type: 'string', description: 'its name' } },
      required: ['name'],
    });
    expect(document.components.schemas.Problem).toEqual({
      type: 'object',
      description: 'RFC 9457',
      properties: {
        type: { type: 'string', default: 'about:blank', description: expect.any(String) },
        title: { type: 'string', description: expect.any(String) },
        status: { type: 'integer', minimum: 400, maximum: 599 },
        detail: { type: 'string', description: expect.any(String) },
        instance: { type: 'string', description: expect.any(String) },
      },
      required: ['title', 'status', 'detail'],
      additionalProperties: {},
    });
  });

  it('has a problem for each of the usual failures', () => {
    expect(Object.keys(document.components.responses)).toHaveLength(problemStatuses.length);
    for (const response of Object.values(document.components.responses)) {
      expect(response).toEqual({
        description: expect.stringMatching(/^[A-Z].*\.$/),
        content: {
          'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } },
        },
      });
    }
  });

  it('can be made again: the schemas keep nothing', () => {
    expect(parsed(openApiDocument(info, api))).toEqual(document);
  });
});

describe.each([
  { name: 'things', api },
  { name: 'metadata-server', api: metadataServerApi },
])('the document of $name', ({ api }) => {
  const document = parsed(openApiDocument(info, api));

  it('refers to nothing that it does not have', () => {
    const refs = refsOf(document);

    expect(refs.length).toBeGreaterThan(0);
    for (const ref of refs) expect(resolved(document, ref), ref).toBeDefined();
  });

  it('has an operationId and a one-line summary for each route, and each id once', () => {
    const operations = Object.values(document.paths).flatMap((path) => Object.values(path));

    expect(operations.map(({ operationId }) => operationId).sort()).toEqual(
      Object.keys(api).sort(),
    );
    for (const { summary } of operations) expect(summary).toMatch(/^[A-Z][^\n]+$/);
  });
});

const Operation = z.looseObject({ operationId: z.string(), summary: z.string() });
const Document = z.looseObject({
  openapi: z.string(),
  info: z.unknown(),
  tags: z.unknown(),
  paths: z.record(z.string(), z.record(z.string(), Operation)),
  components: z.object({
    schemas: z.record(z.string(), z.unknown()),
    responses: z.record(z.string(), z.unknown()),
    securitySchemes: z.record(z.string(), z.unknown()),
  }),
});

/** As a client sees it: through JSON. */
function parsed(document: object) {
  return Document.parse(JSON.parse(JSON.stringify(document)));
}

function problems(statuses: string[]) {
  const names = new Map([
    ['400', 'BadRequest'],
    ['401', 'Unauthorized'],
    ['403', 'Forbidden'],
    ['404', 'NotFound'],
    ['405', 'MethodNotAllowed'],
    ['429', 'TooManyRequests'],
    ['500', 'InternalServerError'],
  ]);
  return Object.fromEntries(
    statuses.map((status) => [status, { $ref: `#/components/responses/${names.get(status)}` }]),
  );
}

function refsOf(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, each]) =>
    key === '$ref' && typeof each === 'string' ? [each] : refsOf(each),
  );
}

function resolved(document: unknown, ref: string): unknown {
  expect(ref).toMatch(/^#\//);
  return ref
    .slice(2)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce<unknown>(
      (found, part) =>
        typeof found === 'object' && found !== null
          ? new Map(Object.entries(found)).get(part)
          : undefined,
      document,
    );
}
