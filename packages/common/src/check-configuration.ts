import { errorText } from '@skolo/errors';
import { checkSecrets, type Rack, RackError, readRack, type ServiceName } from '@skolo/rack';
import { readCredentials, SecretError, secretPath } from '@skolo/secrets';
import { TokenFile } from './access/token-file.ts';
import { problemsOf } from './open-rack.ts';
import type { ServiceDefinition } from './service.ts';
import { readTlsFiles } from './tls.ts';

/** Mistakes in rack.yaml and in the secrets of this service, one per line. */
export async function checkConfiguration(
  definition: ServiceDefinition,
  rackFile: string,
): Promise<string[]> {
  const { name } = definition;
  try {
    const rack = await readRack(rackFile, { strictFor: name });
    const { tls } = rack.services[name];
    const { tokens } = rack.access;
    const checks = [
      tls && readTlsFiles(rack, tls),
      tokens && new TokenFile(secretPath(rack, tokens.file)).find(''),
    ];
    const results = await Promise.allSettled(checks);
    const failed = results.flatMap((each) =>
      each.status === 'rejected' ? [errorText(each.reason)] : [],
    );
    const more = (await definition.checkSecrets?.(rack)) ?? [];
    return [...failed, ...(await settingsProblems(rack, name)), ...more];
  } catch (error) {
    if (error instanceof RackError) return problemsOf(error);
    if (error instanceof SecretError) return [error.message];
    throw error;
  }
}

/** Secrets in the settings of a service that cannot be read, but for the files of TLS. */
async function settingsProblems(rack: Rack, name: ServiceName): Promise<string[]> {
  const own = `services.${name}.`;
  const checked = await checkSecrets(rack, name);
  return checked.flatMap(({ where, error }) => {
    const isOwn = where.startsWith(own) && !where.startsWith(`${own}tls.`);
    return isOwn && error !== undefined ? [`${where}: ${errorText(error)}`] : [];
  });
}

/** Why logins cannot be used, one per line. */
export async function loginProblems(
  rack: Rack,
  logins: Iterable<string | undefined>,
): Promise<string[]> {
  const problems: string[] = [];
  for (const login of new Set(logins)) {
    await readCredentials(rack, login).catch((error: unknown) => {
      problems.push(`logins.${login}: ${errorText(error)}`);
    });
  }
  return problems;
}
