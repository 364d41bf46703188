import {
  OpenAPIRegistry,
  OpenApiGeneratorV31,
  type ResponseConfig,
  type RouteConfig,
} from '@asteasolutions/zod-to-openapi';
import { STATUS_CODES } from '@skolo/base/http';
import { z } from 'zod';
import { Problem, problemType } from './problem.ts';
import { type Api, isSuccess, type RouteSpec, roleOf } from './route.ts';

/** Responses that every route may send. */
const problems = new Map([
  [400, 'The request does not match the schema.'],
  [401, 'The token is missing, unknown or expired.'],
  [403, "The caller's role does not permit this."],
  [404, 'Not found.'],
  [405, 'The `Allow` header lists the methods that this path supports.'],
  [429, 'Too many requests. The `Retry-After` header specifies how long to wait.'],
  [
    500,
    "An internal error occurred. To find the cause, search the service's log for the value of `x-request-id`.",
  ],
]);

const bearer = 'bearer';

/**
 * The OpenAPI 3.1 document of an API, ready for `JSON.stringify`. Schemas with `.meta({ id })` become components.
 * The key of a route is its `operationId`.
 */
export function openApiDocument(info: { title: string; version: string }, api: Api): object {
  const registry = new OpenAPIRegistry();
  registry.registerComponent('securitySchemes', bearer, {
    type: 'http',
    scheme: 'bearer',
    description: "A token from `skolo token new`, or a Google ID token for the rack's audience.",
  });
  for (const [status, description] of problems) {
    registry.registerComponent('responses', problemName(status), {
      description,
      content: { [problemType]: { schema: { $ref: '#/components/schemas/Problem' } } },
    });
  }
  for (const [operationId, spec] of Object.entries(api)) {
    registry.registerPath(operation(operationId, spec));
  }

  const tags = [...new Set(Object.values(api).flatMap(tagsOf))].sort();
  const definitions = [{ type: 'schema', schema: Problem } as const, ...registry.definitions];
  const document = new OpenApiGeneratorV31(definitions).generateDocument({
    openapi: '3.1.0',
    info,
    tags: tags.map((name) => ({ name })),
  });
  for (const path of Object.values(document.paths ?? {})) {
    for (const method of ['get', 'post', 'put', 'delete'] as const) {
      path[method]?.parameters?.forEach(withoutNull);
    }
  }
  return document;
}

type Document = ReturnType<OpenApiGeneratorV31['generateDocument']>;
type Operation = NonNullable<NonNullable<Document['paths']>[string]['get']>;
type Parameter = NonNullable<Operation['parameters']>[number];

/** `z.coerce.number()` accepts null, but a URL cannot contain it. */
function withoutNull(parameter: Parameter) {
  if (!('schema' in parameter) || !parameter.schema || !('type' in parameter.schema)) return;
  const { type } = parameter.schema;
  if (!Array.isArray(type)) return;
  const types = type.filter((each) => each !== 'null');
  const [only] = types;
  parameter.schema.type = only !== undefined && types.length === 1 ? only : types;
}

function operation(operationId: string, spec: RouteSpec): RouteConfig {
  const role = roleOf(spec);
  const request = {
    ...(spec.params && { params: spec.params }),
    ...(spec.query && { query: spec.query }),
    ...(spec.headers && { headers: spec.headers }),
    ...(spec.body && {
      body: { required: true, content: { 'application/json': { schema: spec.body } } },
    }),
  };
  return {
    method: spec.method,
    path: spec.path,
    operationId,
    summary: spec.summary,
    ...(spec.description !== undefined && { description: spec.description }),
    tags: tagsOf(spec),
    security: role === undefined ? [] : [{ [bearer]: [] }],
    ...(role !== undefined && { 'x-skolo-role': role }),
    ...(Object.keys(request).length > 0 && { request }),
    responses: answersOf(spec),
  };
}

function answersOf(spec: RouteSpec): RouteConfig['responses'] {
  const answers: RouteConfig['responses'] = {};
  for (const status of problems.keys()) {
    answers[status] = { $ref: `#/components/responses/${problemName(status)}` };
  }
  for (const [status, schema] of Object.entries(spec.answers)) {
    const answer: ResponseConfig = { description: STATUS_CODES[status] ?? status };
    const content = isSuccess(Number(status))
      ? contentOf(spec, schema)
      : schema && { [problemType]: { schema } };
    answers[status] = { ...answer, ...(content && { content }) };
  }
  return answers;
}

/** Content of a 2xx answer; undefined without a body. */
function contentOf({ types, events }: RouteSpec, schema: z.ZodType | undefined) {
  if (schema !== undefined) return { 'application/json': { schema } };
  if (events !== undefined) return { 'text/event-stream': { schema: z.object(events) } };
  const names = types?.map((type) => type.split(';', 1)[0] ?? type);
  return names && Object.fromEntries(names.map((name) => [name, { schema: z.string() }]));
}

/** The tag of `/v1/clients/{name}` is `clients`. */
function tagsOf(spec: RouteSpec): string[] {
  if (spec.tags) return [...spec.tags];
  const part = spec.path.split('/').find((each) => each !== '' && !/^v\d+$/.test(each));
  return part === undefined || part.startsWith('{') ? [] : [part];
}

/** `Not Found` becomes the component `NotFound`. */
function problemName(status: number): string {
  return (STATUS_CODES[status] ?? String(status)).replaceAll(' ', '');
}
