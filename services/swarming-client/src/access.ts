/**
 * Who may do what at the status port. The machine holds no secret for it: its slice has a digest of the one token that
 * is for this machine (`agentToken` of packages/rack), which the power-cycle daemon sends.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Role } from '@skolo/api/route';
import { type Caller, HttpProblem, inNetworks, normaliseAddress } from '@skolo/common/light';
import type { MachineSlice } from '@skolo/rack/slice';

/** @throws HttpProblem 401 */
export function authorize(
  { headers, socket }: Pick<IncomingMessage, 'headers' | 'socket'>,
  role: Role,
  agent: MachineSlice['agent'] | undefined,
): Caller {
  const [scheme, token] = (headers.authorization ?? '').split(' ');
  if (scheme?.toLowerCase() === 'bearer' && token) {
    if (agent?.tokenSha256 !== undefined && isToken(token, agent.tokenSha256)) {
      return { name: 'token of the machine', role: 'operate', by: 'token' };
    }
    throw unauthorized('the token is not that of this machine');
  }
  const address = normaliseAddress(socket.remoteAddress ?? '');
  const mayRead = inNetworks(agent?.anonymousRead ?? []);
  if (role === 'view' && address !== undefined && mayRead(address)) {
    return { name: 'anonymous', role: 'view', by: 'network' };
  }
  throw unauthorized(
    agent?.tokenSha256 === undefined
      ? 'nobody can sign in here: in rack.yaml the login of this machine has no token'
      : 'sign in with the token of this machine (skolo machine signs in by itself where it can read the login of rack.yaml)',
  );
}

function isToken(token: string, digest: string): boolean {
  const given = createHash('sha256').update(token).digest();
  const wanted = Buffer.from(digest, 'hex');
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

function unauthorized(detail: string): HttpProblem {
  return new HttpProblem(401, detail, { headers: { 'www-authenticate': 'Bearer' } });
}
