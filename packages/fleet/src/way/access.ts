/**
 * Requests credentials for a rack's API server: its CA certificate, and a token, for which role and how long. Both are requested on the
 * jumphost.
 */
import { parseJson } from '@skolo/base';
import { Secret } from '@skolo/base/secrets';
import type { Role } from '@skolo/rack';
import { z } from 'zod';
import { FleetError } from '../errors.ts';
import type { Ended } from '../program.ts';
import { kubectlOnServer } from './on-server.ts';

/** The permissions of a user; kube/base/access contains the accounts. */
export const roles = ['view', 'operate', 'admin'] as const satisfies readonly Role[];

export interface Access {
  /** PEM. */
  authority: string;
  token: Secret;
  /** How far the API server's clock is ahead of ours. */
  skewMs: number;
}

/** The server's minimum is ten minutes. */
export const tokenLifeSeconds = 3600;
const accessNamespace = 'skolo-access';

/** Arguments of kubectl, always the same. */
const authorityArgs = 'get configmap kube-root-ca.crt -n kube-system -o json';
function tokenArgs(role: Role): string {
  return `create token skolo-${role} -n ${accessNamespace} --duration=${tokenLifeSeconds}s -o json`;
}

const Authority = z.object({ data: z.object({ 'ca.crt': z.string().startsWith('-----BEGIN ') }) });
const TokenRequest = z.object({
  status: z.object({ token: z.string().min(1), expirationTimestamp: z.coerce.date() }),
});

interface AccessDeps {
  /** Name of the rack, for messages. */
  name: string;
  /** Runs a command on the jumphost. */
  run(command: string): Promise<Ended>;
  /** Milliseconds since 1970. */
  now(): number;
}

/** @throws FleetError The user is not allowed to get it, or the API server does not issue it. */
export async function requestAccess(role: Role, deps: AccessDeps): Promise<Access> {
  const [authority, request] = await Promise.all([
    ask(authorityArgs, Authority, role, deps),
    ask(tokenArgs(role), TokenRequest, role, deps),
  ]);
  const { token, expirationTimestamp } = request.status;
  return {
    authority: authority.data['ca.crt'],
    token: new Secret(token),
    skewMs: expirationTimestamp.getTime() - tokenLifeSeconds * 1000 - deps.now(),
  };
}

async function ask<S extends z.ZodType>(
  args: string,
  schema: S,
  role: Role,
  { name, run }: AccessDeps,
): Promise<z.output<S>> {
  const { code, stdout, stderr } = await run(kubectlOnServer(args));
  if (code !== 0) throw rejection(name, role, args, stderr);
  const { data } = schema.safeParse(parseJson(stdout));
  if (data !== undefined) return data;
  throw new FleetError(
    `${name}: \`kubectl ${args}\` on the jumphost printed unexpected output; run the command there to see it`,
  );
}

function rejection(name: string, role: Role, args: string, stderr: string): FleetError {
  const last = stderr.split('\n').at(-1) ?? '';
  if (/^sudo:|not allowed to execute/m.test(stderr)) {
    return new FleetError(
      `${name}: sudo on the jumphost denies you the ${role} role (${last}); ask an admin of the rack for this role, or specify another one with --role`,
    );
  }
  if (/k3s: (command )?not found|k3s: No such file/.test(stderr)) {
    return new FleetError(
      `${name}: k3s is not installed on this host; check that it is the jumphost`,
    );
  }
  if (/serviceaccounts? "skolo-\w+" not found|namespaces? "skolo-access" not found/.test(stderr)) {
    return new FleetError(
      `${name}: the cluster does not contain the service account skolo-${role}; ask an admin to apply kube/base/access to it`,
    );
  }
  if (/refused|timed? ?out|EOF|ServiceUnavailable|unable to handle/i.test(stderr)) {
    return new FleetError(
      `${name}: the API server is not responding (${last}); run \`systemctl status k3s\` on the jumphost`,
    );
  }
  return new FleetError(`${name}: \`kubectl ${args}\` failed on the jumphost: ${last}`);
}
