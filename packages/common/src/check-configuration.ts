import { errorText } from '@skolo/errors';
import { RackError, readRack } from '@skolo/rack';
import { SecretError, secretPath } from '@skolo/secrets';
import { TokenFile } from './access/token-file.ts';
import { problemsOf } from './open-rack.ts';
import type { ServiceDefinition } from './service.ts';
import { readTlsFiles } from './tls.ts';

/** Everything that is wrong with rack.yaml and the secrets that this service uses, a line each. */
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
    const ours = await Promise.allSettled(checks);
    const failed = ours.flatMap((each) =>
      each.status === 'rejected' ? [errorText(each.reason)] : [],
    );
    return [...failed, ...(await definition.checkSecrets(rack))];
  } catch (error) {
    if (error instanceof RackError) return problemsOf(error);
    if (error instanceof SecretError) return [error.message];
    throw error;
  }
}
