/** `GET /v1/devices/{device}/versions/{version}/content`: masked text, or, to an admin who asks for it, the bytes themselves. */
import { callerOf, HttpProblem, type ServiceContext } from '@skolo/common';
import { type Request, type RequestHandler, type Response, Router } from 'express';
import { z } from 'zod';
import { problemOf } from './problems.ts';
import type { Readable } from './readable.ts';
import { jumphostModel } from './targets.ts';
import type { Versions } from './versions.ts';

export interface ContentDeps extends Pick<ServiceContext, 'access' | 'audit'> {
  versions: Versions;
  readable: Readable;
}

const Params = z.object({ device: z.string().max(300), version: z.string().max(100) });
const Query = z.strictObject({ secrets: z.enum(['true', 'false']).default('false') });

export function contentRoute(deps: ContentDeps): RequestHandler {
  return Router({ caseSensitive: true }).get(
    '/v1/devices/:device/versions/:version/content',
    deps.access.require('view'),
    async (request, response) => {
      await answer(deps, request, response).catch(problemOf);
    },
  );
}

async function answer(deps: ContentDeps, request: Request, response: Response): Promise<void> {
  const { versions, readable } = deps;
  const params = Params.parse(request.params);
  const query = Query.safeParse(request.query);
  if (!query.success) throw new HttpProblem(400, z.prettifyError(query.error));
  const version = await versions.find(params.device, params.version);
  response.set({
    'x-skolo-version': version.id,
    ...(version.sha1 !== undefined && { 'x-skolo-sha1': version.sha1 }),
  });
  if (query.data.secrets === 'true') {
    await mayShowSecrets(deps, response, `${version.device} ${version.id}`);
    response.type('application/octet-stream').send(await versions.content(version));
    return;
  }
  if (version.model === jumphostModel) {
    throw new HttpProblem(
      409,
      'it is an encrypted archive: ask for it as it is, with secrets=true',
    );
  }
  response.type('text/plain').send(await readable.text(version, false));
}

/**
 * Lets through an admin, and puts that into the audit log first.
 *
 * @throws HttpProblem 403
 */
export async function mayShowSecrets(
  { audit }: Pick<ServiceContext, 'audit'>,
  response: Response,
  target: string,
): Promise<void> {
  const { name, role } = callerOf(response);
  if (role !== 'admin') throw needsAdmin(name, role);
  await audit.append({ who: name, role, what: 'read with secrets', target, outcome: 'done' });
}

export function needsAdmin(name: string, role: string): HttpProblem {
  return new HttpProblem(
    403,
    `secrets are shown to the role admin, and ${name} has ${role}; without secrets=true they are masked`,
  );
}
