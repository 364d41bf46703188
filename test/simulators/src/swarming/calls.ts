import type { IncomingMessage } from 'node:http';
import { zipPath } from './bot-code.ts';

/** `bot_code`: the endpoint that redirects; `zip`: a version of the bot. */
const endpoints = [
  'bot_code',
  'zip',
  'server_ping',
  'handshake',
  'poll',
  'event',
  'task_update',
  'task_error',
  'oauth_token',
  'id_token',
  'unknown',
] as const;
export type Endpoint = (typeof endpoints)[number];

/** One request that reached the server, good or bad. */
export interface SwarmingCall {
  at: number;
  endpoint: Endpoint;
  method: string;
  path: string;
  /** Of X-Luci-Swarming-Bot-ID. */
  botId?: string;
  /** Of the Authorization header. */
  token?: string;
  /** Absent as long as there is no answer. */
  status?: number;
}

export function callOf(request: IncomingMessage): SwarmingCall {
  const { method = '', url: path = '/', headers } = request;
  const botId = headers['x-luci-swarming-bot-id'];
  const token = /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1];
  return {
    at: Date.now(),
    endpoint: endpointOf(path),
    method,
    path,
    ...(typeof botId === 'string' && { botId }),
    ...(token !== undefined && { token }),
  };
}

function endpointOf(path: string): Endpoint {
  const { pathname } = new URL(path, 'http://swarming');
  if (pathname === '/bot_code') return 'bot_code';
  if (pathname.startsWith(zipPath)) return 'zip';
  const name = /^\/swarming\/api\/v1\/bot\/([a-z_]+)(\/|$)/.exec(pathname)?.[1];
  return endpoints.find((endpoint) => endpoint === name && name !== 'bot_code') ?? 'unknown';
}
