/** Decides which secrets cannot be rotated, and why. */
import { loadAccounts } from '@skolo/equipment/models/load';
import type { Rack } from '@skolo/rack';
import type { RackSecret } from '@skolo/rack/secrets';
import {
  deviceOf,
  isAccountPart,
  isSnmpPart,
  nounOf,
  partsOf,
  type Target,
  targetsOf,
} from './rotation.ts';

/** Why this secret cannot be rotated; undefined: it can. */
export async function rotationRejection(
  secret: RackSecret,
  rack: Rack,
): Promise<string | undefined> {
  const { name, kind, place, where } = secret;
  if (kind === 'adb-key' || kind === 'adb-public-key') {
    return 'each phone must accept a new key on its screen; replace the key manually, phone by phone';
  }
  if (nounOf(secret) === undefined) {
    return `skolo cannot change a secret of kind ${kind} in the other system; change it manually, then use skolo secrets set and apply`;
  }
  if (!place.startsWith(`${rack.name}/`)) {
    return `${place} is shared, so other racks would be locked out`;
  }
  if (secret.isVariable) {
    return 'services read environment variables only at startup, so they would be locked out; use a file in rack.yaml instead';
  }
  const others = where.filter(
    (path) =>
      !/^logins\..+\.(?:password|enablePassword|privateKey|snmp\.(?:community|authKey|privKey))$/.test(
        path,
      ),
  );
  if (others.length > 0) return `is also used as ${others.join(', ')}, which skolo cannot change`;
  const locked = secret.logins.filter((login) => rack.logins.get(login)?.passphrase !== undefined);
  if (kind === 'ssh-key' && locked.length > 0) {
    const names = locked.join(', ');
    const which =
      locked.length > 1 ? `logins ${names} have passphrases` : `login ${names} has a passphrase`;
    return `${which}, but skolo generates keys without one`;
  }
  const readers = [...rack.logins.values()].filter(({ read }) =>
    secret.logins.includes(read ?? ''),
  );
  if (readers.length > 0) {
    const names = readers.map((login) => login.name).join(', ');
    return `skolo cannot change the secret of a read-only account (\`read\` in login ${names}); change it on the equipment, then use skolo secrets set and apply`;
  }
  const rejected: string[] = [];
  for (const target of targetsOf(secret, rack)) {
    const why = await targetRejection(secret, target, rack);
    if (why !== undefined) rejected.push(why);
  }
  if (rejected.length === 0) return undefined;
  return `${rejected.join('; ')}. Give equipment that skolo cannot change a separate login, or replace ${name} manually`;
}

async function targetRejection(
  secret: RackSecret,
  target: Target,
  { logins }: Rack,
): Promise<string | undefined> {
  const device = deviceOf(target);
  const { name, model } = device;
  const accounts = await loadAccounts(device);
  if (typeof accounts === 'string') return `${name} (${model}): ${accounts}`;
  if ('transport' in device && accounts.transports?.includes(device.transport) === false) {
    return `${name} (${model}): skolo changes its passwords only over ${accounts.transports.join(', ')}`;
  }
  if (secret.kind === 'ssh-key') {
    return accounts.hasKeys
      ? undefined
      : `${name} (${model}): skolo cannot change SSH keys on this model`;
  }
  const parts = partsOf(secret, target.login);
  const login = logins.get(target.login ?? '');
  if (parts.some(isSnmpPart) && login?.username === undefined) {
    return `${name} (${model}): the login does not contain a username and password, which are required to change SNMP settings on the command line`;
  }
  const unknown = parts.find((part) => !(isAccountPart(part) && accounts.parts.includes(part)));
  return unknown && `${name} (${model}): skolo cannot change its ${unknown}`;
}
