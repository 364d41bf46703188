/**
 * The statement that decides which computer is the jumphost of a rack, signed by `skolo jumphost replace` with the rack key, which stays
 * in the secret store. Jumphosts have the statement and the public key.
 *
 * On the wire: UDP, one JSON object for each datagram, at most 1,024 bytes, from a link-local IPv6 address to the group
 * `ff12::736b:6f6c:6f`, port 9212 (transient, link-local scope: RFC 4291, section 2.7). It is never forwarded by a router.
 *
 *     {"skolo":"jumphost/1","ask":true,"rack":"rack4","statement":
 *       {"rack":"rack4","epoch":1795468800,"machine":"<64 hex digits>","signature":"<88 characters of base64>"}}
 *
 * - `ask`: every computer with a statement of this rack sends it to the group. A jumphost that was never replaced has none.
 * - `epoch`: seconds since 1970 when `replace` signed it, so two spares never have the same one. The higher one wins.
 * - `machine`: SHA-256 of `skolo jumphost ` and /etc/machine-id, which machine-id(5) asks not to publish.
 * - `signature`: Ed25519 (RFC 8032) of `skolo jumphost statement 1\n<rack>\n<epoch>\n<machine>\n`.
 *
 * There is no challenge, because a statement permanently retires every jumphost with a lower epoch, no matter who sends it and when:
 * a replay only repeats a fact. It cannot retire the computer that it names.
 */
import { createPublicKey, generateKeyPairSync, type KeyLike, sign, verify } from 'node:crypto';
import { sha256 } from '@skolo/base';
import { z } from 'zod';

export const statementPort = 9212;
export const statementGroup = 'ff12::736b:6f6c:6f';
/** On a jumphost: the rack's public key (PEM), and its own statement. */
export const rackKeyFile = '/etc/skolo/active/rack-key.pub';
export const statementFile = '/etc/skolo/active/statement.json';
/** Prints what `machineOf` returns for the computer that runs it. */
export const machineScript = `printf 'skolo jumphost %s' "$(cat /etc/machine-id)" | sha256sum | cut -c -64`;

const Claim = z.strictObject({
  rack: z.string().min(1).max(63),
  epoch: z.int().positive(),
  machine: z.hex().length(64),
});
type Claim = z.output<typeof Claim>;

export const Statement = Claim.extend({ signature: z.base64().length(88) });
export type Statement = z.output<typeof Statement>;

/** A datagram. */
export const StatementMessage = z.strictObject({
  skolo: z.literal('jumphost/1'),
  ask: z.boolean(),
  rack: z.string().max(63),
  statement: Statement.exactOptional(),
});

/**
 * The state of the power-cycle daemon's jumphost: `jumphost.json` in its state directory. Without the file, it does not run on a
 * jumphost.
 */
export const JumphostState = z.object({
  /** A jumphost with a higher epoch was detected, so this one no longer switches any outlets. */
  retiredBy: z.object({ epoch: z.int(), machine: z.string() }).nullable(),
  /**
   * Another computer had the address of this one in this boot. `uptime`: seconds since boot, when it was last seen. `boot`: the kernel's id
   * of the boot. `evidence`: what shows that it is a jumphost of the rack.
   */
  conflict: z
    .object({
      mac: z.string(),
      uptime: z.number(),
      boot: z.string().exactOptional(),
      evidence: z.string().exactOptional(),
    })
    .nullable(),
});
export type JumphostState = z.output<typeof JumphostState>;
export const jumphostStateFile = 'jumphost.json';

/** @param machineId content of /etc/machine-id */
export function machineOf(machineId: string): string {
  return sha256(`skolo jumphost ${machineId.trim()}`);
}

/** A private rack key (PKCS #8, PEM). */
export function newRackKey(): string {
  const { privateKey } = generateKeyPairSync('ed25519');
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** @throws Error It is not a private Ed25519 key. */
export function publicRackKey(privateKey: string): string {
  const key = createPublicKey(privateKey);
  if (key.asymmetricKeyType !== 'ed25519') throw new Error('the rack key is not an Ed25519 key');
  return key.export({ type: 'spki', format: 'pem' }).toString();
}

export function signStatement(claim: Claim, privateKey: KeyLike): Statement {
  return { ...claim, signature: sign(null, signed(claim), privateKey).toString('base64') };
}

export function isSigned(statement: Statement, publicKey: KeyLike): boolean {
  return verify(null, signed(statement), publicKey, Buffer.from(statement.signature, 'base64'));
}

function signed({ rack, epoch, machine }: Claim): Buffer {
  return Buffer.from(`skolo jumphost statement 1\n${rack}\n${epoch}\n${machine}\n`);
}
