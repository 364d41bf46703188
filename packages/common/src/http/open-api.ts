import type { Api } from '@skolo/api/route';
import { z } from 'zod';
import { type BoundRoute, bindRoutes } from './routes.ts';

/** `/openapi.json` of an API. */
export function openApiRoute(info: { title: string; version: string }, api: Api): BoundRoute[] {
  const openapi = {
    method: 'get',
    path: '/openapi.json',
    summary: 'This API',
    role: 'anyone',
    answers: { 200: z.looseObject({}) },
  } as const;
  async function document() {
    // Loaded on demand: rarely used, and 6 MB of memory.
    const { openApiDocument } = await import('@skolo/api/openapi');
    return { status: 200, body: { ...openApiDocument(info, api) } } as const;
  }
  return bindRoutes({ openapi }, { openapi: document });
}
