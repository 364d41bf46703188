/**
 * The identity that a stick assigns to a computer with the image, and who may sign in. It contains no secrets: whoever finds a stick learns
 * a name, addresses and public keys. The computer creates its host keys, and everything else is delivered over SSH.
 */

import { sha256 } from '@skolo/base';
import type { Rack } from '@skolo/rack';
import { ComputerError } from '@skolo/setup/engine';
import { isIn } from '../address/fixed-address.ts';
import type { FixedAddress } from '../address/interfaces.ts';
import { routerOf } from '../address/rack-addresses.ts';

interface Identity extends FixedAddress {
  rack: string;
  nameServers: readonly string[];
  /** Of several with a cable. */
  interface?: string;
  /** SSH public keys, as in authorized_keys. */
  keys: readonly string[];
}

/** On the stick, whose file system is FAT. */
export const identityFile = 'skolo-identity.txt';
/** Of this form. */
export const identityHead = 'skolo-identity 1';

/** The file of a stick. Its last line is the checksum of those before it. */
export function identityText(identity: Identity): string {
  const { rack, name, address, prefix, gateway, nameServers, keys } = identity;
  const lines = [
    identityHead,
    '# Read when a jumphost first boots. Contains no secrets. Do not edit it: any change makes it invalid.',
    `rack ${rack}`,
    `name ${name}`,
    `address ${address}/${prefix}`,
    ...(gateway === undefined ? [] : [`gateway ${gateway}`]),
    ...nameServers.map((each) => `dns ${each}`),
    ...(identity.interface === undefined ? [] : [`interface ${identity.interface}`]),
    ...keys.map((key) => `key ${key}`),
  ];
  const text = lines.map((line) => `${line}\n`).join('');
  return `${text}sha256 ${sha256(text)}\n`;
}

interface IdentityNeeds {
  rack: Rack;
  /** A machine in rack.yaml that becomes a spare; default: the jumphost. */
  machine?: string | undefined;
  /** Default: `network.gateway` in rack.yaml, or else the device with `uplink: internet`. */
  gateway?: string | undefined;
  /** Default: the gateway. */
  nameServers?: readonly string[] | undefined;
  interface?: string | undefined;
  keys: readonly string[];
}

/** @throws ComputerError rack.yaml does not contain what a stick requires, or its gateway is not in the subnet. */
export function identityOf(needs: IdentityNeeds): Identity {
  const { rack, machine, keys } = needs;
  const wanted = machine === undefined ? rack.jumphost : rack.machines.get(machine);
  const reject = (why: string) => new ComputerError(`${rack.name}: rack.yaml ${why}`);
  if (wanted === undefined) throw reject(`does not contain machine ${machine}; add it`);
  const { name, address } = wanted;
  if (address === undefined)
    throw reject(`does not contain the address of ${name}, which a jumphost requires`);
  return {
    rack: rack.name,
    name,
    keys,
    ...fixedAddress(rack, {
      name,
      address,
      gateway: needs.gateway,
      nameServers: needs.nameServers,
    }),
    ...(needs.interface !== undefined && { interface: needs.interface }),
  };
}

interface FixedNeeds extends Pick<IdentityNeeds, 'gateway' | 'nameServers'> {
  name: string;
  address: string;
}

/** A fixed address in a rack's subnet. @throws ComputerError rack.yaml does not contain the subnet, or the gateway is outside it. */
export function fixedAddress(rack: Rack, { name, address, ...given }: FixedNeeds) {
  const { subnet = '', gateway: usual } = rack.network;
  const reject = (why: string) => new ComputerError(`${rack.name}: rack.yaml ${why}`);
  const [, length] = subnet.split('/');
  if (length === undefined)
    throw reject('does not contain network.subnet, whose prefix length is required');
  if (address.includes(':'))
    throw reject(`has an IPv6 address for ${name}, but only IPv4 is supported`);
  const router = routerOf(rack);
  const gateway = given.gateway ?? usual ?? (router?.name === name ? undefined : router?.address);
  if (gateway !== undefined && !isIn(gateway, subnet)) {
    throw new ComputerError(
      `${rack.name}: the gateway ${gateway} is outside ${subnet}; specify another one with --gateway`,
    );
  }
  const nameServers = given.nameServers ?? (gateway === undefined ? [] : [gateway]);
  return {
    address,
    prefix: Number(length),
    nameServers,
    ...(gateway !== undefined && { gateway }),
  };
}

/** As sshd accepts them (sshd(8), AUTHORIZED_KEYS FILE FORMAT), without options. */
const publicKey =
  /^(ssh-ed25519|ssh-rsa|ecdsa-sha2-\S+|sk-\S+@openssh\.com) [A-Za-z0-9+/]+=*( .*)?$/;

/**
 * Public keys in a file, one per line.
 *
 * @param file for messages
 * @throws ComputerError A line is not a public key.
 */
export function publicKeysOf(text: string, file: string): string[] {
  const lines = text.split('\n').map((line) => line.trim());
  const keys = lines.filter((line) => line !== '' && !line.startsWith('#'));
  for (const key of keys) {
    if (publicKey.test(key)) continue;
    // Its content must not appear.
    const what = key.includes('PRIVATE KEY')
      ? 'contains a private key'
      : 'contains a line that is not an SSH public key';
    throw new ComputerError(`${file}: ${what}; specify the file that ends with .pub`);
  }
  return keys;
}
