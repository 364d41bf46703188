/** Makes a history out of a copy, in a temp folder, and sends it to the router backup. */
import { createHash } from 'node:crypto';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LostHistory } from '@skolo/api';
import { rebuildHistory, type UnreadableVersion, writeBundle } from '@skolo/backup';
import type { SkoloCommand } from '../../command.ts';
import { exitCodes } from '../../exit-codes.ts';
import type { Io } from '../../io.ts';
import { type Copy, explaining, withCopy } from './copy.ts';
import { type RouterBackup, routerBackup } from './service.ts';

interface Wanted {
  io: Io;
  command: SkoloCommand;
  from: string;
  identity?: string;
  reason: string;
}

export interface SentHistory {
  devices: number;
  versions: number;
  /** What the service still misses. */
  lost: LostHistory[];
  unreadable: UnreadableVersion[];
}

/** All of it is checked and put together there. */
const restoreMs = 300_000;

export async function restoreHistory(wanted: Wanted): Promise<SentHistory> {
  const { io, command, from, identity, reason } = wanted;
  const service = await routerBackup(command);
  // Archives of the jumphost are in no history. Asked before anything is fetched: it may not answer.
  const { devices } = await service.ask((client) => client.devices());
  const archived = devices.filter(({ model }) => model === 'jumphost').map(({ name }) => name);
  const options = { io, globals: command.globals(), from, ...(identity && { identity }) };
  const result = await withCopy(options, (copy) => send(copy, service, new Set(archived), reason));
  if (result.lost.length + result.unreadable.length > 0) io.exitCode = exitCodes.partlyFailed;
  return result;
}

async function send(
  { source, rack }: Copy,
  service: RouterBackup,
  without: ReadonlySet<string>,
  reason: string,
): Promise<SentHistory> {
  const { signal } = new AbortController();
  // It holds configurations in the clear.
  const folder = await mkdtemp(join(tmpdir(), 'skolo-history-'));
  try {
    const history = join(folder, 'history');
    const unreadable = await explaining(() =>
      rebuildHistory(source, history, { without, signal, ...(rack !== undefined && { rack }) }),
    );
    const file = join(folder, 'bundle');
    await explaining(() => writeBundle(history, file));
    const sha256 = await sendFile(file, service);
    const body = { sha256, reason };
    const restored = await service.ask((client) =>
      client.restoreHistory({ body, timeoutMs: restoreMs }),
    );
    return { ...restored, unreadable };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Its SHA-256. */
async function sendFile(file: string, service: RouterBackup): Promise<string> {
  const { historyPieceBytes } = await import('@skolo/api');
  const hash = createHash('sha256');
  const handle = await open(file, 'r');
  try {
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
  } finally {
    await handle.close();
  }
}
