/** Decides from which copy the state of an old jumphost is restored: an off-site archive, or its disk in the spare. */
import { rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { BackupSource, Trust, Version } from '@skolo/backup';
import { count, errorText, shellWord } from '@skolo/base';
import type { Secret } from '@skolo/base/secrets';
import { BackupError } from '@skolo/equipment/models/configuration';
import type { TarMember } from '@skolo/equipment/models/tar';
import type { Rack } from '@skolo/rack';
import { type Host, localFile } from '@skolo/setup/engine';
import { machineHistory, type OlderHistory, openDisk, type StateCopy } from '@skolo/setup/jumphost';
import type { SkoloCommand } from '../../../command.ts';
import { CliError } from '../../../errors.ts';
import type { Io } from '../../../io.ts';
import { plain } from '../../../output/text.ts';

/** @throws CliError @throws ComputerError There is none, or it cannot be opened. */
export async function readCopy(
  command: SkoloCommand,
  rack: Rack,
  host: Host,
  options: ArchiveOptions & { disk?: string | true },
): Promise<StateCopy> {
  const { disk } = options;
  if (disk === undefined) return await readArchive(command, rack, options);
  return await readDisk(host, rack.jumphost.name, disk === true ? undefined : disk);
}

export interface CopyOptions {
  from?: string;
  identity?: string;
  /** `latest`: the newest one that is intact and authenticated. After commas: IDs of older ones that may contain the machine history. */
  version: string;
  unauthenticated?: true;
}

interface ArchiveOptions extends CopyOptions {
  /** From the store. */
  backupKey: Secret | undefined;
  /** For unpacked archives, until the caller removes it. */
  folder: string;
}

/** @throws CliError There is none, no identity decrypts it, or none is intact and authenticated. */
export async function readArchive(
  command: SkoloCommand,
  rack: Pick<Rack, 'name' | 'jumphost' | 'services'>,
  { backupKey, folder, unauthenticated, version: named, ...options }: ArchiveOptions,
): Promise<StateCopy> {
  const { io } = command;
  const { name } = rack.jumphost;
  const from = options.from ?? rack.services['router-backup'].upload;
  if (from === undefined) {
    throw new CliError(
      `${rack.name}: rack.yaml does not set services.router-backup.upload; specify a location with --from, or use the old jumphost's disk with --disk`,
    );
  }
  if (backupKey === undefined && !unauthenticated) {
    throw new CliError(
      `${rack.name}: the secret store does not contain backup-key, so no archive can be authenticated; use the old jumphost's disk with --disk, or choose an archive that you trust (skolo backup list ${name} --from ${from}) with --version ID --unauthenticated`,
    );
  }
  const identity = options.identity ?? io.env.SKOLO_AGE_IDENTITY_FILE;
  const { explaining, withCopy } = await import('../../backup/copy.ts');
  const ids = named.split(',');
  const [wanted = 'latest'] = ids;
  const foreign = new Set<string>();
  const trust: Trust = {
    backupKey,
    archived: name,
    accepted: new Set(unauthenticated ? ids : []),
    onUnauthenticated(what) {
      foreign.add(basename(what));
      io.err(plain(`${what} is not authenticated`));
    },
  };
  return await withCopy(command, { from, identity, trust }, async ({ source }) => {
    const versions = await explaining(() => source.versions(name), { subject: name });
    const { pickVersion, unusable } = await import('@skolo/backup');
    let passed = 0;
    const picking = pickVersion(versions, {
      wanted,
      read: (version) => unpack(source, version, join(folder, 'archive')),
      passes: unusable,
      onPass(error) {
        passed += 1;
        io.err(plain(`${errorText(error)}; trying the previous archive`));
      },
    });
    const { version, content: archive } = await explaining(() => picking, { subject: name }).catch(
      (error: unknown) => {
        if (passed === 0) throw error;
        throw new CliError(
          `${name}: no intact archive in ${from} is authenticated (${count(versions.length, 'archive')} checked); specify another location with --from, or use the old jumphost's disk with --disk`,
        );
      },
    );
    const { id, time } = version;
    const isAuthenticated = !foreign.has(id);
    const older = versions.slice(versions.findIndex((each) => each.id === id) + 1);
    const history = archive.history ? undefined : await findHistory(io, source, older, folder);
    const trusted = isAuthenticated ? '' : ', not authenticated';
    const hint = history && foreign.has(history.id) ? ', machine history not authenticated' : '';
    return {
      title: `${from}, archive of ${time}${trusted}${hint}`,
      id: `${from} ${id}${isAuthenticated ? '' : ' (not authenticated)'}`,
      time,
      from: { tar: await localFile(archive.file), isAuthenticated },
      history,
    };
  });
}

interface Archive {
  file: string;
  /** Its machine history, if it has one. */
  history: TarMember | undefined;
}

/** @throws BackupError It is damaged, or must not be used. */
async function unpack(source: BackupSource, version: Version, file: string): Promise<Archive> {
  if (source.contentToFile === undefined) {
    throw new BackupError('not-found', 'a git repository does not contain archives');
  }
  await source.contentToFile(version, file);
  const { readTar } = await import('@skolo/equipment/models/tar');
  const members = await readTar({ file, size: 0 });
  return { file, history: members.find(({ name }) => name === machineHistory) };
}

/** Intact archives. router-backup adds the machine history at least once a week. */
const mostSearched = 21;

/** The newest history in these archives, of which unusable ones are reported. Undefined: there is none. */
async function findHistory(
  io: Io,
  source: BackupSource,
  archives: readonly Version[],
  folder: string,
): Promise<(OlderHistory & Pick<Version, 'id'>) | undefined> {
  const { memberStream } = await import('@skolo/equipment/models/tar');
  const { createWriteStream } = await import('node:fs');
  let searched = 0;
  for (const version of archives) {
    if (searched === mostSearched) break;
    const tar = { file: join(folder, 'older'), size: 0 };
    try {
      const { history: member } = await unpack(source, version, tar.file);
      searched += 1;
      if (member?.type !== 'file') continue;
      const { mode, uid, gid } = member;
      const file = join(folder, 'history');
      await pipeline(memberStream(tar, member), createWriteStream(file, { mode: 0o600 }));
      const { id, time } = version;
      return { id, time, mode, uid, gid, content: await localFile(file) };
    } catch (error) {
      if (!(error instanceof BackupError)) throw error;
      io.err(plain(`${errorText(error)}; looking for the machine history in the previous archive`));
    } finally {
      await rm(tar.file, { force: true });
    }
  }
  return undefined;
}

/** Its time is that of the last state change. `closeDisk` ends it. */
async function readDisk(
  host: Host,
  jumphost: string,
  where: string | undefined,
): Promise<StateCopy> {
  const { title, folder } = await openDisk(host, jumphost, where);
  const seconds = await host.need(
    `find ${shellWord(folder)}/var/lib/skolo -type f -printf '%T@\\n' | sort -n | tail -n 1`,
    { deadlineMs: 600_000 },
  );
  const time = new Date(Number(seconds) * 1000).toISOString();
  return { title, id: `${title} ${time}`, time, from: { disk: folder } };
}
