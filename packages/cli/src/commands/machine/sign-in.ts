/** Signs in to the agent of a machine, with a token derived from the machine's login. */
import type { SkoloCommand } from '../../command.ts';
import { CliError, exitCodes } from '../../errors.ts';
import { explaining, readToken } from '../../service-client.ts';
import { type AgentClient, type AgentPlace, agentClient } from './agents.ts';

interface SignedIn {
  /** @throws CliError The agent rejects the request or does not answer; the message says what to do. */
  ask<T>(question: (client: AgentClient) => Promise<T>): Promise<T>;
}

/** @throws CliError The token file of the command line is not usable. */
export async function signIn(
  command: SkoloCommand,
  place: AgentPlace & { name: string },
  answers: 'status' | 'log',
): Promise<SignedIn> {
  const { token, why } = await findToken(command, place);
  const client = agentClient(place.url, {
    token,
    answers,
    rack: place.rack?.name,
    fetch: place.fetch,
  });
  const signIn = { hint: why, statuses: [401, 403] };
  return { ask: (question) => explaining(() => question(client), command.globals(), signIn) };
}

/** `why` is the hint if the agent rejects the token, or its absence. */
async function findToken(
  command: SkoloCommand,
  { name, machine, rack }: AgentPlace & { name: string },
): Promise<{ token?: string; why: string }> {
  const { tokenFile, rack: rackFile } = command.globals();
  if (tokenFile !== undefined && command.gives('tokenFile')) {
    const token = await readToken(tokenFile);
    if (isForAgents(token)) return { token, why: `the token is from ${tokenFile}` };
    throw new CliError(
      `${tokenFile}: not the token of an agent, and tasks on a machine could read any other; leave out --token-file if the login of ${name} can be read`,
      exitCodes.badConfiguration,
    );
  }
  let why = `give --rack, which has the token of the machine's login`;
  if (rack !== undefined && machine !== undefined) {
    const { login } = machine;
    const secret = login === undefined ? undefined : rack.logins.get(login)?.token;
    if (secret === undefined) {
      why = `${rackFile} has no login with a \`token\` for ${name}`;
    } else {
      const { agentToken, readSecret, SecretError } = await import('@skolo/secrets');
      try {
        const found = await readSecret(rack, secret);
        const token = agentToken(found.reveal(), name);
        return { token, why: `the token is derived from logins.${login}.token of ${rackFile}` };
      } catch (error) {
        if (!(error instanceof SecretError)) throw error;
        why = `logins.${login}.token of ${rackFile} cannot be read here: ${error.message}`;
      }
    }
  }
  // The variable usually names the token for services.
  const own = tokenFile === undefined ? undefined : await readToken(tokenFile);
  if (own !== undefined && isForAgents(own)) {
    return { token: own, why: `the token is from ${tokenFile}` };
  }
  return {
    why: `${why}; without a token only networks of access.anonymousRead may read`,
  };
}

/** An HMAC-SHA256 in base64url: neither what `skolo token new` makes, nor a token of Google. */
function isForAgents(token: string): boolean {
  return /^[\w-]{43}$/.test(token);
}
