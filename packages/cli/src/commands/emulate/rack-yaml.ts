/** Writes the rack.yaml of a rack that consists of this computer only. */
import { parseJson } from '@skolo/base';
import { credentialFileFault, credentialFileKind } from '@skolo/google';
import { z } from 'zod';
import { usageError } from '../../errors.ts';
import { badFile, readSecretFile } from '../../workstation/given-file.ts';

export interface AccountOptions {
  project?: string;
  email?: string;
}

const Key = z.object({
  project_id: z.string().optional().catch(undefined),
  quota_project_id: z.string().optional().catch(undefined),
  client_email: z.string().optional().catch(undefined),
});

/**
 * Refers to the key file, and does not contain the key.
 *
 * @returns its text, for a directory that keeps tokens; rejected if the project or address is not valid
 * @throws CliError The file does not contain credentials, or lacks a project or address that no option specifies.
 */
export async function rackYamlFor(
  file: string,
  { project, email }: AccountOptions,
): Promise<(tokenFolder: string) => Promise<string>> {
  const hint = 'specify a key file with --key';
  const secret = await readSecretFile(file, hint);
  const kind = credentialFileKind(secret.reveal());
  if (kind === undefined) {
    const types = 'service_account, authorized_user, external_account';
    throw badFile(`${file}: not a Google credentials file of type ${types}`, hint);
  }
  const fault = credentialFileFault(kind, secret.reveal());
  if (fault !== undefined) throw badFile(`${file}: ${fault}`, hint);
  const key = Key.parse(parseJson(secret.reveal()));
  const identity = {
    project: project ?? key.project_id ?? key.quota_project_id,
    email: email ?? key.client_email,
    credentials: { [kind]: file },
  };
  for (const each of ['project', 'email'] as const) {
    if (!identity[each])
      throw usageError(`${file} does not contain the account's ${each}; specify it with --${each}`);
  }
  return async (tokenFolder) => {
    const text = JSON.stringify({
      rack: 'emulated',
      timezone: 'UTC',
      network: { subnet: '127.0.0.0/8' },
      jumphost: { name: 'emulator', address: '127.0.0.1', identity: 'key' },
      identities: { key: identity },
      machines: {},
      services: { 'metadata-server': { tokenFolder } },
    });
    await validate(text, file);
    return text;
  };
}

/** @throws CliError The project or address is not valid: the other values are ours. */
async function validate(text: string, file: string): Promise<void> {
  const { parseRack, RackError } = await import('@skolo/rack');
  try {
    parseRack(text, { file });
  } catch (cause) {
    if (!(cause instanceof RackError)) throw cause;
    const faults = cause.issues.map(
      ({ path, message }) => `--${path.split('.').at(-1)}: ${message}`,
    );
    throw usageError(`${file}, or ${faults.join('; ')}`, { cause });
  }
}
