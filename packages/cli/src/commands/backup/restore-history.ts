import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { historyPieceBytes } from '@skolo/api';
import { count, tempFolder } from '@skolo/base';
import type { SkoloCommand } from '../../command.ts';
import { exitCodes } from '../../errors.ts';
import { printJson } from '../../io.ts';
import { type RouterBackup, routerBackup } from '../../reach/service-client.ts';
import { lostLines } from './backup-text.ts';
import type { Copy } from './copy.ts';
import { canReadCopies, type ReaderOptions } from './reader.ts';

interface Options extends ReaderOptions {
  version?: string;
  reason: string;
  json?: true;
}

/** `skolo backup restore-history`: restores a lost history from a copy. */
export function define(command: SkoloCommand): void {
  command
    .description(
      'Restores the whole backup history from a copy after the rack has lost its repository. Versions that were stored after the loss are kept. The copy is decrypted locally, so the age identity stays on your workstation. The exit code is 3 if some versions cannot be read or decrypted, or are still lost.',
    )
    .summary('restore a lost history from a copy')
    .requiredOption('--reason <text>', 'reason to record in the audit log')
    .option(
      '--version <ids>',
      'with --unauthenticated: the versions to accept, separated by commas; for a git repository, its newest commit, which determines all older ones',
    )
    .option('--json', 'print JSON');
  canReadCopies(command).example(
    "skolo backup restore-history --from gs://my-backups/rack4 --identity key.txt --reason 'new disk'",
  );

  command.action(async (options: Options) => {
    const { from, identity, unauthenticated, version, reason, json } = options;
    if ((unauthenticated === undefined) !== (version === undefined))
      return command.error("options '--version' and '--unauthenticated' require each other");
    if (from === undefined)
      return command.error("option '--from' is missing; specify where the copy is stored");
    const { withCopy } = await import('./copy.ts');
    const service = routerBackup(command);
    // Jumphost archives are not in the history. Checked first, because the service may not respond.
    const { equipment: all } = await service.ask((client) => client.allEquipment());
    const archived = all.filter(({ model }) => model === 'jumphost').map(({ name }) => name);
    const accepted = version === undefined ? undefined : new Set(version.split(','));
    const result = await withCopy(command, { from, identity, accepted }, (copy) =>
      send(copy, service, new Set(archived), reason),
    );
    const { equipment, versions, lost, unreadable } = result;
    if (lost.length + unreadable.length > 0) command.io.exitCode = exitCodes.partlyFailed;
    if (json) return printJson(command.io, result);
    for (const { id, why } of unreadable) command.io.out(`${id}: not restored: ${why}`);
    for (const line of lost.flatMap(lostLines)) command.io.out(line);
    command.io.out(
      `restored ${count(equipment, 'configuration')}; the history now contains ${count(versions, 'version')}`,
    );
    return undefined;
  });
}

/** The service checks and merges everything. */
const restoreMs = 300_000;

/** Builds a history from a copy in a temporary directory, and sends it to the router backup. */
async function send(
  { source, rack }: Copy,
  service: RouterBackup,
  without: ReadonlySet<string>,
  reason: string,
) {
  const { rebuildHistory, writeBundle } = await import('@skolo/backup');
  const { explaining } = await import('./copy.ts');
  const { signal } = new AbortController();
  // The directory contains configurations in plain text.
  await using folder = await tempFolder('skolo-history-');
  const history = join(folder.path, 'history');
  const unreadable = await explaining(() =>
    rebuildHistory(source, history, { without, signal, ...(rack !== undefined && { rack }) }),
  );
  const file = join(folder.path, 'bundle');
  await explaining(() => writeBundle(history, file));
  const sha256 = await sendFile(file, service);
  const body = { sha256, reason };
  const restored = await service.ask((client) =>
    client.restoreHistory({ body, timeoutMs: restoreMs }),
  );
  return { ...restored, unreadable };
}

/** Gives its SHA-256. */
async function sendFile(file: string, service: RouterBackup): Promise<string> {
  const hash = createHash('sha256');
  await using handle = await open(file, 'r');
  const buffer = Buffer.alloc(historyPieceBytes);
  for (let offset = 0; ; ) {
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, offset);
    if (bytesRead === 0) return hash.digest('hex');
    const piece = buffer.subarray(0, bytesRead);
    hash.update(piece);
    const body = { offset, data: piece.toString('base64') };
    await service.ask((client) => client.receiveHistory({ body }));
    offset += bytesRead;
  }
}
