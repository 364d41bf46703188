/**
 * The token of the agent on one machine, made from the token of the machine's login, so that a rack has one secret and
 * each agent a token of its own. A machine gets only the digest: who is root there learns nothing that opens another.
 */
import { createHash, createHmac } from 'node:crypto';

/** What is sent to the agent on `machine` as bearer token: HMAC-SHA256 in base64url. */
export function agentToken(loginToken: string, machine: string): string {
  return createHmac('sha256', loginToken.trim())
    .update(`skolo-agent:${machine}`)
    .digest('base64url');
}

/** What the agent knows that token by: SHA-256 in hexadecimal. */
export function agentTokenDigest(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
