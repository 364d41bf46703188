/** The state of a former jumphost: an archive off site, or its disk on the spare. */
import { shellWord } from '@skolo/errors';
import type { Host, StateCopy } from '@skolo/jumphost';
import type { Rack } from '@skolo/rack';
import type { SkoloCommand } from '../../command.ts';
import { CliError } from '../../errors.ts';
import type { ReplaceOptions } from './replacement.ts';

/** @throws CliError There is none, or it cannot be opened. */
export async function readCopy(
  command: SkoloCommand,
  rack: Rack,
  host: Host,
  options: ReplaceOptions,
): Promise<StateCopy> {
  const { disk } = options;
  if (disk !== undefined) return await onDisk(host, disk, options.with);
  const from = options.from ?? rack.services['router-backup'].upload;
  if (from === undefined) {
    throw new CliError(
      `${rack.name}: rack.yaml names no \`upload\` of router-backup; give a place with --from, or the disk of the former jumphost with --disk`,
    );
  }
  const identity = options.identity ?? command.io.env.SKOLO_AGE_IDENTITY_FILE;
  const { withCopy } = await import('../backup/copy.ts');
  return await withCopy(command, { from, identity }, async (copy) => {
    const { name } = rack.jumphost;
    const versions = await copy.versions(name, Number.MAX_SAFE_INTEGER);
    const { resolveVersion } = await import('@skolo/backup');
    const { id, time } = resolveVersion(versions, options.version);
    const tar = Buffer.from(await copy.content(name, id, true));
    return { title: `${from}, archive of ${time}`, id: `${from} ${id}`, time, from: { tar } };
  });
}

/** Its time is that of the last change of state. */
async function onDisk(host: Host, disk: string, spare: string): Promise<StateCopy> {
  const quoted = shellWord(disk);
  const seconds = await host.need(
    `[ -d ${quoted}/var/lib/skolo ] || { echo ${quoted}'/var/lib/skolo: no such folder; mount the disk of the former jumphost there: mount -o ro DEVICE '${quoted} >&2; exit 1; }
find ${quoted}/var/lib/skolo -type f -printf '%T@\\n' | sort -n | tail -n 1`,
    { deadlineMs: 600_000 },
  );
  const time = new Date(Number(seconds) * 1000).toISOString();
  return { title: `${disk} on ${spare}`, id: `disk ${disk} ${time}`, time, from: { disk } };
}
