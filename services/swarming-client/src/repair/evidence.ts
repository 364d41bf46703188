/**
 * Keeps evidence when a device becomes unhealthy (a screenshot, its last log, the reasons), and decides how much is kept, and which is
 * deleted. In `evidence/DEVICE/NUMBER-TIME/` of the state directory; the newest few of each device, and at most a few megabytes in
 * total. Nothing else is written (it is an SD card), and never the same device twice within ten minutes.
 */
import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode, errorText, withDeadline } from '@skolo/base';
import { makeFolder } from '@skolo/base/durable/make-folder';
import type { EventLog } from '@skolo/common/light';
import type { Device } from '../devices/device.ts';
import { screenFile } from '../devices/evidence.ts';
import type { Health, Reason } from '../health/health.ts';
import { namesIn } from '../host/quiet-files.ts';
import type { PartDeps } from '../part-deps.ts';

export interface EvidenceDeps extends Pick<PartDeps, 'stateDir' | 'clock'> {
  wanted: () => boolean;
  device: (name: string) => Pick<Device, 'writeEvidence'> | undefined;
  log: Pick<EventLog, 'info'>;
  /** Default: 5 per device, 20 MB in total. */
  most?: { perDevice: number; bytes: number };
}

const usualMost = { perDevice: 5, bytes: 20_000_000 };
const pauseSeconds = 600;
const withinMs = 60_000;

export class Evidence {
  private readonly deps: EvidenceDeps;
  /** Devices that were not well at the last assessment. */
  private unhealthy = new Set<string>();
  private readonly keptAt = new Map<string, number>();
  private turn: Promise<void> = Promise.resolve();
  private readonly ended = new AbortController();

  constructor(deps: EvidenceDeps) {
    this.deps = deps;
  }

  /** For each health assessment. Fulfilled when the evidence is kept; never rejected. */
  collect({ reasons }: Health): Promise<void> {
    const byDevice = Map.groupBy(reasons.filter(isOwn), ({ device = '' }) => device);
    const before = this.unhealthy;
    this.unhealthy = new Set(byDevice.keys());
    for (const [name, own] of byDevice) if (!before.has(name)) this.writeSoon(name, own);
    return this.turn;
  }

  /** The newest screenshot of a device; undefined: none is kept. */
  async lastScreen(device: string): Promise<{ png: Uint8Array; at: Date } | undefined> {
    const root = join(this.deps.stateDir, 'evidence', device);
    for (const name of (await namesIn(root)).reverse()) {
      const file = join(root, name, screenFile);
      try {
        return { png: await readFile(file), at: (await stat(file)).mtime };
      } catch (error) {
        // A phone that was away has no screenshot in its evidence, or it was just removed.
        if (errorCode(error) !== 'ENOENT') throw error;
      }
    }
    return undefined;
  }

  async stop(): Promise<void> {
    this.ended.abort(new Error('the agent is stopping'));
    await this.turn;
  }

  private writeSoon(name: string, reasons: readonly Reason[]): void {
    const now = this.deps.clock.uptime();
    const at = this.keptAt.get(name);
    if (!this.deps.wanted() || (at !== undefined && now - at < pauseSeconds)) return;
    this.keptAt.set(name, now);
    this.turn = this.turn
      .then(() => this.write(name, reasons))
      .catch((error: unknown) => {
        this.deps.log.info({ device: name, why: errorText(error) }, 'evidence could not be stored');
      });
  }

  private async write(name: string, reasons: readonly Reason[]): Promise<void> {
    const device = this.deps.device(name);
    if (device?.writeEvidence === undefined || this.ended.signal.aborted) return;
    const at = new Date(this.deps.clock.now());
    const root = join(this.deps.stateDir, 'evidence');
    const folder = join(root, name, await nextName(join(root, name), at));
    await makeFolder(folder, 0o755);
    try {
      const late = () => new Error(`not finished within ${withinMs / 1000} s`);
      const deadline = { ms: withinMs, late, signal: this.ended.signal };
      const files = await withDeadline(
        deadline,
        (signal) => device.writeEvidence?.(folder, signal) ?? [],
      );
      if (files.length === 0) throw new Error('the device returned no evidence');
      const why = reasons.map(({ text, since }) => `${since.toISOString()} ${text}\n`).join('');
      await writeFile(join(folder, 'why.txt'), why);
      this.deps.log.info({ device: name, folder, files }, 'evidence stored');
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    } finally {
      await removeOld(root, this.deps.most ?? usualMost);
    }
  }
}

/** Not one that is intentionally away, or not read yet. */
function isOwn({ device, verdict }: Reason): boolean {
  return device !== undefined && verdict !== 'maintenance';
}

/** Numbered, because a wrong clock would make the newest the oldest. */
async function nextName(folder: string, at: Date): Promise<string> {
  const numbers = (await namesIn(folder)).map((name) => Number.parseInt(name, 10) || 0);
  const number = String(Math.max(0, ...numbers) + 1).padStart(6, '0');
  return `${number}-${at.toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`;
}

/** Keeps the newest of each device, and as many of the others as fit. */
async function removeOld(root: string, most: { perDevice: number; bytes: number }): Promise<void> {
  const left: { folder: string; bytes: number; changed: number }[] = [];
  for (const device of await namesIn(root)) {
    const names = (await namesIn(join(root, device))).reverse();
    for (const [index, name] of names.entries()) {
      const folder = join(root, device, name);
      if (index < most.perDevice) left.push({ folder, ...(await sizeOf(folder)) });
      else await rm(folder, { recursive: true, force: true });
    }
  }
  left.sort((a, b) => b.changed - a.changed);
  let bytes = 0;
  for (const evidence of left) {
    bytes += evidence.bytes;
    if (bytes > most.bytes) await rm(evidence.folder, { recursive: true, force: true });
  }
}

async function sizeOf(folder: string): Promise<{ bytes: number; changed: number }> {
  const files = await namesIn(folder);
  const stats = await Promise.all(files.map((file) => stat(join(folder, file))));
  const { mtimeMs } = await stat(folder);
  return { bytes: stats.reduce((sum, { size }) => sum + size, 0), changed: mtimeMs };
}
