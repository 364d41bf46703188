/** Where a device of rack.yaml is, and how to sign in there. */

import { DeviceUnreachable, SignInRefused, type Target } from '@skolo/equipment';
import type { InfrastructureDevice, Rack } from '@skolo/rack';
import { type Credentials, readCredentials, SecretError } from '@skolo/secrets';

/** @throws DeviceUnreachable It has no address. SignInRefused A secret of its login cannot be read. */
export async function targetOf(
  { name, address, ports, hostKey, login }: InfrastructureDevice,
  transport: 'ssh' | 'telnet',
  rack: Pick<Rack, 'dir' | 'logins'>,
): Promise<Target> {
  if (address === undefined) {
    throw new DeviceUnreachable(name, 'rack.yaml gives it no address; add address: to it');
  }
  const port = ports[transport] ?? (transport === 'ssh' ? 22 : 23);
  const credentials = await credentialsOf(name, login, rack);
  return { name, address, port, credentials, ...(hostKey !== undefined && { hostKey }) };
}

async function credentialsOf(
  name: string,
  login: string | undefined,
  rack: Pick<Rack, 'dir' | 'logins'>,
): Promise<Credentials> {
  try {
    return await readCredentials(rack, login);
  } catch (error) {
    if (!(error instanceof SecretError)) throw error;
    const what = `a secret of its login ${login} cannot be had: ${error.message}`;
    throw new SignInRefused(name, what, { cause: error });
  }
}
