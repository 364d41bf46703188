import type { SwarmingFault } from './faults.ts';

/** `bot_code`: the door that redirects; `zip`: a version of the bot. */
export const endpoints = [
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
  fault?: SwarmingFault;
}
