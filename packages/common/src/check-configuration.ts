import { errorText } from '@skolo/errors';
import { RackError, readRack } from '@skolo/rack';
import { SecretError, secretPath } from '@skolo/secrets';
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
    return [...failed, ...(await definition.checkSecrets(rack))];
  } catch (error) {
    if (error instanceof RackError) return problemsOf(error);
    if (error instanceof SecretError) return [error.message];
    throw error;
  }
}
