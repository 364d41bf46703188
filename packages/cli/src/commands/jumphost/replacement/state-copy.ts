/** Decides from which copy the state of an old jumphost is restored: an off-site archive, or its disk in the spare. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { count, errorText, sha256, shellWord } from '@skolo/base';
import { BackupError } from '@skolo/equipment/models/configuration';
import type { Rack } from '@skolo/rack';
import type { Host, LocalFile } from '@skolo/setup/engine';
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
  { folder, ...options }: CopyOptions & { disk?: string | true; folder: string },
): Promise<StateCopy> {
  const { disk } = options;
  if (disk === undefined) return await readArchive(command, rack, { ...options, folder });
  return await readDisk(host, rack.jumphost.name, disk === true ? undefined : disk);
}

export interface CopyOptions {
  from?: string;
  identity?: string;
  /** `latest`: the newest intact one. */
  version: string;
}

/** @throws CliError There is none, no identity decrypts it, or none is intact. */
export async function readArchive(
  command: SkoloCommand,
  rack: Pick<Rack, 'name' | 'jumphost' | 'services'>,
  options: CopyOptions & {
    /** For the unpacked archive, until the caller removes it. */
    folder: string;
  },
): Promise<StateCopy> {
  const { io } = command;
  const { folder } = options;
  const from = options.from ?? rack.services['router-backup'].upload;
  if (from === undefined) {
    throw new CliError(
      `${rack.name}: rack.yaml does not set services.router-backup.upload; specify a location with --from, or use the old jumphost's disk with --disk`,
    );
  }
  const identity = options.identity ?? io.env.SKOLO_AGE_IDENTITY_FILE;
  const { explaining, withCopy } = await import('../../backup/copy.ts');
  return await withCopy(command, { from, identity }, async (copy) => {
    const { name } = rack.jumphost;
    const versions = await copy.versions(name, Number.MAX_SAFE_INTEGER);
    const wanted = options.version;
    const { resolveVersion } = await import('@skolo/backup');
    const find = async () => resolveVersion(versions, wanted);
    const candidates = wanted === 'latest' ? versions : [await explaining(find, { subject: name })];
    for (const { id, time } of candidates) {
      if (!id.endsWith('.age')) {
        const why = `${from}/${id}: the archive is not encrypted, so router-backup did not make it`;
        if (wanted !== 'latest') throw new CliError(why);
        io.err(plain(`${why}; trying the previous archive`));
        continue;
      }
      try {
        const read = async (id: string) => Buffer.from(await copy.content(name, id, true));
        const tar = await read(id);
        const older = versions
          .slice(versions.findIndex((each) => each.id === id) + 1)
          .filter((each) => each.id.endsWith('.age'));
        const history = await findHistory(io, [
          { time, read: async () => tar },
          ...older.map((each) => ({ time: each.time, read: () => read(each.id) })),
        ]);
        return {
          title: `${from}, archive of ${time}`,
          id: `${from} ${id}`,
          time,
          from: { tar: await localCopy(join(folder, 'tar'), tar), isAuthenticated: false },
          history:
            history === undefined || history.at === 0
              ? undefined
              : {
                  ...history,
                  content: await localCopy(join(folder, 'history'), history.content),
                },
        };
      } catch (error) {
        if (wanted !== 'latest' || !isDamaged(error)) throw error;
        io.err(plain(`${errorText(error)}; trying the previous archive`));
      }
    }
    throw new CliError(
      `${name}: no intact archive in ${from} (${count(versions.length, 'archive')} checked); specify another location with --from, or use the old jumphost's disk with --disk`,
    );
  });
}

async function localCopy(file: string, content: Buffer): Promise<LocalFile> {
  await writeFile(file, content, { mode: 0o600 });
  return { file, sha256: sha256(content) };
}

/** router-backup adds the machine history at least once a week, so three weeks may be damaged. */
const mostSearched = 22;

/** The newest history in these archives, with its position, of which unusable ones are reported. Undefined: there is none. */
async function findHistory(
  io: Io,
  archives: readonly { time: string; read(): Promise<Buffer> }[],
): Promise<(Omit<OlderHistory, 'content'> & { at: number; content: Buffer }) | undefined> {
  const { memberBytes, readTar } = await import('@skolo/equipment/models/tar');
  for (const [at, { time, read }] of archives.slice(0, mostSearched).entries()) {
    try {
      const bytes = await read();
      const member = (await readTar({ bytes })).find(({ name }) => name === machineHistory);
      if (member === undefined) continue;
      const { mode, uid, gid } = member;
      return { at, time, mode, uid, gid, content: memberBytes({ bytes }, member) };
    } catch (error) {
      if (!(error instanceof CliError || error instanceof BackupError)) throw error;
      io.err(plain(`${errorText(error)}; looking for the machine history in the previous archive`));
    }
  }
  return undefined;
}

function isDamaged(error: unknown): boolean {
  const { cause } = error instanceof CliError ? error : {};
  return cause instanceof BackupError && cause.code === 'damaged';
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
