/**
 * Receives a history that was rebuilt from an off-site copy, piece by piece in one file, and replaces the current one. Versions that were
 * stored since the loss are appended to it first.
 */

import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { appendMissing, openBundle, type Repository, type Version } from '@skolo/backup';
import { closing, errorText, sha256OfFile } from '@skolo/base';
import { makeFolder } from '@skolo/base/durable';
import { HttpProblem, Locks } from '@skolo/common';
import { BackupError } from '@skolo/equipment/models/configuration';
import type { Store } from '../history/store.ts';
import type { OffsiteCopies } from '../offsite/copies.ts';
import type { HistoryLoss } from '../offsite/loss.ts';
import type { PartDeps } from '../part-deps.ts';
import type { LostRecord } from '../state.ts';

interface HistoryRestoreDeps extends Pick<PartDeps, 'rack' | 'emit'> {
  stateDir: string;
  /** Aborted when the service stops. */
  signal: AbortSignal;
  store: Store;
  loss: HistoryLoss;
  copies: Pick<OffsiteCopies, 'restored'>;
}

interface RestoredHistory {
  devices: number;
  versions: number;
  lost: LostRecord[];
}

export class HistoryRestore {
  private readonly deps: HistoryRestoreDeps;
  private readonly folder: string;
  private readonly locks = new Locks();

  constructor(deps: HistoryRestoreDeps) {
    this.deps = deps;
    this.folder = join(deps.stateDir, 'incoming');
  }

  /** Removes files that a killed process left. Never throws. */
  async clear(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true }).catch(() => undefined);
  }

  /**
   * Appends a piece to the file. A piece at 0 starts the file over.
   *
   * @returns the size of the file
   * @throws HttpProblem 409: another piece is next. BackupError `storage`
   */
  async receive(offset: number, piece: Buffer): Promise<number> {
    return await this.locks.hold('history', async () => {
      try {
        await makeFolder(this.folder);
        await using handle = await open(this.file, offset === 0 ? 'w' : 'a', 0o600);
        const { size } = await handle.stat();
        if (size !== offset) {
          throw new HttpProblem(
            409,
            `${size} bytes were received instead of ${offset}; start again at offset 0`,
          );
        }
        await handle.writeFile(piece);
        return size + piece.length;
      } catch (error) {
        if (error instanceof HttpProblem) throw error;
        throw new BackupError('storage', `${this.file}: ${errorText(error)}`, { cause: error });
      }
    });
  }

  /**
   * Replaces the current history with the received one.
   *
   * @throws HttpProblem 409: it differs from what was sent. BackupError: the history is unchanged
   */
  async restore(sha256: string): Promise<RestoredHistory> {
    return await this.locks.hold('history', async () => {
      try {
        await this.check(sha256);
        return await this.replace();
      } finally {
        await this.clear();
      }
    });
  }

  private async replace(): Promise<RestoredHistory> {
    const { store, loss, rack, signal, copies, emit } = this.deps;
    const { name } = rack();
    const copy = new Map<string, readonly Version[]>();
    let ids: ReadonlyMap<string, string> = new Map();
    let versions = 0;
    await store.replace(async (present) => {
      const folder = join(this.folder, 'history');
      const options = { rack: name, signal };
      await using restored = closing(
        await openBundle(this.file, folder, options).catch(notAHistory),
      );
      await checked(restored, signal);
      for (const device of await restored.devices()) {
        copy.set(device, await restored.versions(device));
      }
      ids = await appendMissing(present, restored, name);
      for (const device of await restored.devices()) versions += await restored.count(device);
      return folder;
    });
    await copies.restored(ids);
    const lost = await loss.restored(copy);
    const devices = copy.size;
    emit({ type: 'history-restored', devices, versions, left: lost.length });
    return { devices, versions, lost };
  }

  private async check(sha256: string): Promise<void> {
    let received: string;
    try {
      received = await sha256OfFile(this.file);
    } catch (error) {
      throw new HttpProblem(409, 'no history has been sent; send its parts first', {
        cause: error,
      });
    }
    if (received === sha256) return;
    throw new HttpProblem(
      409,
      'the received history differs from the one that was sent; send it again',
    );
  }

  private get file(): string {
    return join(this.folder, 'history.bundle');
  }
}

function notAHistory(error: unknown): never {
  if (!(error instanceof BackupError) || error.code !== 'damaged') throw error;
  throw new HttpProblem(409, `this is not a valid history: ${error.message}`, { cause: error });
}

async function checked(repository: Repository, signal: AbortSignal): Promise<void> {
  const wrong = await repository.check(signal);
  if (wrong !== undefined) throw new HttpProblem(409, `the history is damaged: ${wrong}`);
}
