/** Reads an off-site copy of the history. Decides what is printed of it: without `--secrets`, nothing whose secrets cannot be masked. */

import { randomBytes } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { BackupVersion } from '@skolo/api';
import {
  type BackupSource,
  difference,
  openSource,
  parseIdentities,
  pickVersion,
  resolveVersion,
  shownRemote,
  type Trust,
  unusable,
  type Version,
} from '@skolo/backup';
import { errorText, orAborted } from '@skolo/base';
import { count } from '@skolo/base/count';
import type { Secret } from '@skolo/base/secrets';
import { models } from '@skolo/equipment/models';
import type { BackupModel, CreateBackup } from '@skolo/equipment/models/backup';
import { BackupError, createMask, type Mask, textOf } from '@skolo/equipment/models/configuration';
import { loadBackups } from '@skolo/equipment/models/load';
import type { Equipment, Rack } from '@skolo/rack';
import type { SkoloCommand } from '../../command.ts';
import { CliError, exitCodes } from '../../errors.ts';
import type { Io } from '../../io.ts';
import { plain } from '../../output/text.ts';
import { interruptible } from '../../reach/racks.ts';
import { badFile, readSecretFile } from '../../workstation/given-file.ts';
import { rackToReach } from '../../workstation/rack-file.ts';
import { readBackupKey } from '../secrets/open-secrets.ts';
import { shortVersionId } from './backup-text.ts';
import type { Reader } from './reader.ts';

const maxDoubts = 3;

export interface CopyOptions {
  from: string;
  identity?: string | undefined;
  /**
   * With `--unauthenticated`: versions that a person has named. Their complete IDs contain a digest, so nobody can choose their content,
   * unless the digest is keyed and the key is not here.
   */
  accepted?: Set<string> | undefined;
}

export interface Copy extends Reader {
  source: BackupSource;
  /** Name of the rack, if `--rack` is given. */
  rack: string | undefined;
  devices(): Promise<string[]>;
}

/**
 * Calls `read` with the copy. Removes a temporary clone, which holds configurations, also on Ctrl-C and other signals.
 *
 * @throws CliError The copy cannot be opened or read, or Ctrl-C.
 */
export async function withCopy<T>(
  command: SkoloCommand,
  {
    from,
    identity,
    accepted,
    trust: given,
  }: CopyOptions & {
    /** Default: as the rack's backup key and rack.yaml decide. */
    trust?: Trust;
  },
  read: (copy: Copy) => Promise<T>,
): Promise<T> {
  const identities = identity === undefined ? [] : await readIdentities(identity);
  // Optional here. A rack given by flag or variable must exist.
  const rack = command.globals().rackIsDefault ? undefined : await rackToReach(command);
  return await interruptible(command, async (signal) => {
    let source: BackupSource | undefined;
    const doubts = new Set<string>();
    try {
      const place = await absolute(from);
      const trust = given ?? (await trustIn(command.io, rack, { accepted, doubts, signal }));
      source = await explaining(() => openSource(place, { identities, trust, signal }));
      const mask = createMask(randomBytes(32));
      const backups = await loadBackups();
      const options = { from, identity, accepted, trust, io: command.io };
      const copy = copyOf(source, { rack, backups, mask, ...options });
      return await orAborted(read(copy), signal);
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    } finally {
      report(command.io, doubts);
      await source?.close();
    }
  });
}

/** Copies are read in parallel, and there may be thousands. */
function report(io: Io, doubts: ReadonlySet<string>): void {
  for (const text of [...doubts].sort().slice(0, maxDoubts)) io.err(plain(text));
  const more = doubts.size - maxDoubts;
  if (more > 0) io.err(`${count(more, 'more copy', 'more copies')}: not authenticated`);
}

/**
 * Which copies are used.
 *
 * @param doubts receives what to say of those that are not authenticated
 * @throws CliError The backup key cannot be read.
 */
async function trustIn(
  io: Io,
  rack: Rack | undefined,
  {
    accepted,
    doubts,
    signal,
  }: { accepted: ReadonlySet<string> | undefined; doubts: Set<string>; signal: AbortSignal },
): Promise<Trust> {
  let backupKey: Secret | undefined;
  const trust: Trust = {
    accepted,
    onUnauthenticated(what, match) {
      const why = rack
        ? backupKey === undefined && `; the secret store has no backup-key of ${rack.name}`
        : "; to compare it with the rack's backup-key, add --on RACK or --rack FILE";
      const orOther = match === 'unknown' ? ', and may have other content than its name says' : '';
      doubts.add(`${what} is not authenticated${orOther}${why || ''}`);
    },
  };
  if (rack === undefined) return trust;
  backupKey = await readBackupKey(io, rack, signal).catch((error: unknown) => {
    signal.throwIfAborted();
    // A key that cannot be read is not a rack without one.
    if (accepted) return undefined;
    throw new CliError(
      `${rack.name}: the backup-key, which authenticates copies, cannot be read: ${errorText(error)}; to use a version that you trust without it, add --version ID --unauthenticated`,
    );
  });
  const { encrypt, git } = rack.services['router-backup'];
  const facts = { encrypts: Array.isArray(encrypt), remote: git.remote };
  return { ...trust, ...facts, backupKey, archived: rack.jumphost.name };
}

interface CopyContext extends CopyOptions {
  trust: Trust;
  io: Io;
  rack: Rack | undefined;
  backups: ReadonlyMap<string, CreateBackup>;
  mask: Mask;
}

function copyOf(source: BackupSource, context: CopyContext): Copy {
  const { rack, mask, identity, accepted, trust, io } = context;
  const noKey =
    identity === undefined
      ? 'use --identity or SKOLO_AGE_IDENTITY_FILE'
      : `the specified identity file is ${identity}`;
  async function versionsOf(name: string, limit?: number): Promise<Version[]> {
    const options = limit === undefined ? {} : { limit };
    const versions = await explaining(() => source.versions(name, options), { noKey });
    if (versions.length > 0) return versions;
    throw new CliError(
      `${name}: the copy does not contain any versions; to list what it contains, run skolo backup status with the same --from`,
    );
  }
  async function find(name: string, wanted: string): Promise<{ version: Version; bytes: Buffer }> {
    const versions = await versionsOf(name);
    await explaining(async () => resolveVersion(versions, wanted), { subject: name });
    accepted?.add(wanted);
    const picking = pickVersion(versions, {
      wanted,
      read: (version) => source.content(version),
      // Without the key, what is damaged or encrypted for somebody else may be genuine.
      passes: trust.backupKey ? [...unusable, 'no-key'] : ['unauthenticated'],
      onPass: (error) => io.err(plain(`${errorText(error)}; trying the previous version`)),
    });
    const { version, content } = await explaining(() => picking, { noKey });
    return { version, bytes: content };
  }
  /** Text for people. Masked unless `secrets` is set, by the model's rules or by general ones. */
  function text(version: Version, bytes: Buffer, secrets: boolean): string {
    const model = modelOf(version, context);
    const format = model?.format ?? (isTar(bytes) ? 'tar' : 'text');
    const text = textOf(bytes, format, secrets ? undefined : mask.word);
    if (secrets) return text;
    if (model !== undefined || format === 'text') return mask.text(text, model?.secrets ?? []);
    throw new CliError(
      `${version.device}: cannot mask secrets in an archive of files; print it unmasked with --secrets`,
    );
  }
  return {
    source,
    rack: rack?.name,
    devices: () => explaining(() => source.devices(), { noKey }),
    versions: async (name, limit) => (await versionsOf(name, limit)).map(shown),
    async content(name, wanted, secrets) {
      const { version, bytes } = await find(name, wanted);
      return secrets ? bytes : Buffer.from(text(version, bytes, false));
    },
    async diff(name, wanted, secrets) {
      const from = await find(name, wanted.from);
      const to = await find(name, wanted.to);
      const [before, after] = [from, to].map(({ version, bytes }) => text(version, bytes, secrets));
      const names = { from: nameOf(from.version), to: nameOf(to.version) };
      const diff = difference(before ?? '', after ?? '', names);
      return { from: shown(from.version), to: shown(to.version), diff };
    },
    async restoreSteps(name, wanted) {
      const { version, bytes } = await find(name, wanted);
      return { version: shown(version), ...stepsOf(version, bytes, context) };
    },
  };
}

/** Without the nonce, which is in no other copy in the clear. */
function shown({ nonce: _, sealed: _sealed, device, ...version }: Version): BackupVersion {
  return { equipment: device, ...version };
}

/** The device in rack.yaml, otherwise as the version records it, which is not authenticated; undefined if neither has it. */
function equipmentOf({ device, model }: Version, { rack }: CopyContext): Equipment | undefined {
  const known = rack?.equipment.get(device);
  if (known !== undefined) return known;
  return model === undefined ? undefined : unknownEquipment(device, model);
}

/** Undefined if the model is unknown. */
function modelOf(version: Version, context: CopyContext): BackupModel | undefined {
  const equipment = equipmentOf(version, context);
  const create = equipment && context.backups.get(equipment.model);
  try {
    return equipment && create?.(equipment);
  } catch {
    // Requires options in rack.yaml, which is not given.
    return undefined;
  }
}

/** Makes a path absolute; leaves a URL unchanged. */
async function absolute(from: string): Promise<string> {
  const path = resolve(from);
  const found = await stat(path).catch(() => undefined);
  return found?.isDirectory() ? path : from;
}

/** A device without its rack.yaml. */
function unknownEquipment(name: string, model: string): Equipment {
  const transport = models.get(model)?.transports[0] ?? 'ssh';
  return { name, model, transport, ports: {}, power: [], backup: true, options: {} };
}

/** The magic of a POSIX header. */
function isTar(content: Buffer): boolean {
  return content.subarray(257, 262).toString('latin1') === 'ustar';
}

/** Reads an identity file in age-keygen's format. */
async function readIdentities(file: string): Promise<Secret[]> {
  const hint = 'set --identity or SKOLO_AGE_IDENTITY_FILE to a file with an age identity';
  const secret = await readSecretFile(file, hint);
  try {
    return parseIdentities(secret, file);
  } catch (error) {
    if (!(error instanceof BackupError)) throw error;
    throw badFile(error.message, hint, error);
  }
}

/** Adds subject and hint to the error of a copy. */
export async function explaining<T>(
  ask: () => Promise<T>,
  { subject, noKey }: { subject?: string; noKey?: string } = {},
): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof BackupError)) throw error;
    const hint = error.code === 'no-key' && noKey !== undefined ? `; ${noKey}` : '';
    const message = `${subject === undefined ? '' : `${subject}: `}${error.message}${hint}`;
    throw new CliError(message, exitCodes.failed, { cause: error });
  }
}

function nameOf({ device, id, time }: Version): string {
  return `${device}\t${shortVersionId(id)}, ${time}`;
}

function stepsOf(version: Version, content: Buffer, context: CopyContext) {
  const { device: name, id, time } = version;
  const equipment = equipmentOf(version, context);
  const model = modelOf(version, context);
  if (equipment === undefined || model === undefined) {
    const get = (file: string) =>
      `skolo backup show ${name} --from ${shownRemote(context.from)} --secrets -o ${file}`;
    if (isTar(content)) {
      throw new CliError(
        `${name}: this version is an archive of files; save it with ${get(`${name}.tar`)}, and unpack it with tar -xpf ${name}.tar -C /`,
      );
    }
    const which = version.model ?? 'unknown';
    const orRack = context.rack === undefined ? 'specify --rack FILE, or ' : '';
    throw new CliError(
      `${name}: cannot determine the restore steps (model: ${which}); ${orRack}save the version with ${get('FILE')}`,
    );
  }
  const { comment } = model.restore;
  const steps = model.restore.steps(content, { device: equipment, id, time });
  return { comment, steps, canApply: false, canCheck: false };
}
