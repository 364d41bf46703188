/** `--check`: rack.yaml and the secrets of a service. */
import { errorText } from '@skolo/base';
import { SecretError, secretPath } from '@skolo/base/secrets';
import { credentialFaults } from '@skolo/google';
import {
  checkSecrets,
  type Finding,
  formatIssue,
  locateFindings,
  needsLogin,
  type Rack,
  RackError,
  readRack,
  secretReferences,
} from '@skolo/rack';
import { TokenFile } from '../access/token-file.ts';
import { readTlsFiles, TlsError } from '../connections/tls.ts';
import type { ServiceDefinition } from '../service.ts';
import { problemsOf } from './open-rack.ts';

/** Errors in rack.yaml and in the secrets of this service, one per line, each with its line in the file. */
export async function checkConfiguration(
  definition: ServiceDefinition,
  rackFile: string,
): Promise<string[]> {
  try {
    const rack = await readRack(rackFile, { strictFor: definition.name });
    const findings = await Promise.all([
      unreadableSecrets(rack, definition),
      credentialFaults(rack, secretReferences(rack, definition.name)),
      tokenFileFindings(rack),
      tlsFindings(rack, definition),
      definition.check?.(rack) ?? [],
    ]);
    return locateFindings(rack, findings.flat()).map(formatIssue);
  } catch (error) {
    if (error instanceof RackError) return problemsOf(error);
    throw error;
  }
}

/** Secrets that the service reads and that are missing, and devices that it signs in to without a login. */
async function unreadableSecrets(rack: Rack, definition: ServiceDefinition): Promise<Finding[]> {
  const targets = [...(definition.signsInTo?.(rack) ?? [])];
  const used = new Set(targets.flatMap(({ login }) => [login, rack.logins.get(login ?? '')?.read]));
  const isUsed = ([section, name]: Finding['path']) =>
    section !== 'logins' || definition.signsInTo === undefined || used.has(String(name));
  const secrets = await checkSecrets(rack, definition.name);
  return [
    ...secrets.flatMap(({ path, error }) =>
      error !== undefined && isUsed(path) ? [{ path, message: error.message }] : [],
    ),
    ...targets.flatMap(({ name, login, transport }): Finding[] => {
      if (login !== undefined || transport === undefined || !needsLogin(transport)) return [];
      const message = `has no \`login\`, so this service cannot sign in over ${transport}`;
      return [{ path: ['equipment', name], message, at: 'key' }];
    }),
  ];
}

/** Errors in the content of the file of tokens. */
export async function tokenFileFindings(rack: Rack): Promise<Finding[]> {
  const { tokens } = rack.access;
  if (tokens === undefined) return [];
  try {
    await new TokenFile(secretPath(rack, tokens.file)).find('');
    return [];
  } catch (error) {
    if (!(error instanceof SecretError)) throw error;
    // `checkSecrets` reports a file that cannot be read.
    return error.code === 'SECRET_INVALID'
      ? [{ path: ['access', 'tokens'], message: error.message }]
      : [];
  }
}

async function tlsFindings(rack: Rack, { name }: ServiceDefinition): Promise<Finding[]> {
  const { tls } = rack.services[name];
  try {
    if (tls !== undefined) await readTlsFiles(rack, tls);
    return [];
  } catch (error) {
    // `checkSecrets` reports a file that cannot be read.
    if (error instanceof TlsError && error.cause instanceof SecretError) return [];
    return [{ path: ['services', name, 'tls'], message: errorText(error) }];
  }
}
