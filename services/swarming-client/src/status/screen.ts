/**
 * Provides a phone's screen for people: the last one that was kept as evidence, or a new one. A fresh one is only in memory, because
 * screens show unreleased software and tasks' accounts.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorText, tempFolder, withDeadline } from '@skolo/base';
import { HttpProblem } from '@skolo/common/light';
import type { DeviceWatch } from '../devices/device-watch.ts';
import { isPng } from '../devices/evidence.ts';
import { oneDevice } from '../devices/one-device.ts';
import { type TaskView, taskName } from '../hooks/task.ts';
import type { Evidence } from '../repair/evidence.ts';

interface ScreensDeps {
  devices: () => readonly Pick<DeviceWatch, 'name' | 'device'>[];
  evidence: Pick<Evidence, 'lastScreen'>;
  task: () => TaskView;
  now: () => number;
  /** A directory in memory; `/dev/shm` by default. */
  memory?: string;
}

interface Screen {
  png: Uint8Array;
  at: Date;
}

interface WantedScreen {
  device?: string | undefined;
  fresh: boolean;
  force: boolean;
}

const withinMs = 30_000;

export class Screens {
  private readonly deps: ScreensDeps;
  private isBusy = false;

  constructor(deps: ScreensDeps) {
    this.deps = deps;
  }

  /** @throws HttpProblem 404, 409, 503 */
  async get({ device: name, fresh, force }: WantedScreen, signal: AbortSignal): Promise<Screen> {
    const watch = this.find(name);
    if (!fresh) {
      const last = await this.deps.evidence.lastScreen(watch.name);
      if (last !== undefined) return last;
      const why = `${watch.name}: no screenshot is stored; request a fresh one`;
      throw new HttpProblem(404, why);
    }
    const task = this.deps.task();
    if (task.running && !force) {
      const why = `${taskName(task)} is running, and a screenshot may disturb it; try again when it has ended, or use force`;
      throw new HttpProblem(409, why);
    }
    if (this.isBusy) throw new HttpProblem(409, 'another screenshot is being taken; try again');
    this.isBusy = true;
    try {
      return await this.capture(watch, signal);
    } finally {
      this.isBusy = false;
    }
  }

  private find(name: string | undefined): Pick<DeviceWatch, 'name' | 'device'> {
    const devices = this.deps.devices();
    const names = devices.map((each) => each.name).join(', ');
    return oneDevice(devices, name, `the machine has: ${names}`);
  }

  private async capture(
    { name, device }: Pick<DeviceWatch, 'name' | 'device'>,
    signal: AbortSignal,
  ): Promise<Screen> {
    if (device.writeScreen === undefined) {
      throw new HttpProblem(404, `${name}: devices of this kind have no screen`);
    }
    try {
      await using folder = await tempFolder('skolo-screen-', this.deps.memory ?? '/dev/shm');
      const path = join(folder.path, 'screen');
      const late = () => new Error(`not finished within ${withinMs / 1000} s`);
      await withDeadline({ ms: withinMs, late, signal }, (either) =>
        device.writeScreen?.(path, either),
      );
      if (!(await isPng(path)))
        throw new Error('the screenshot is not a PNG file; older iPhones return TIFF');
      return { png: await readFile(path), at: new Date(this.deps.now()) };
    } catch (error) {
      throw new HttpProblem(503, `${name}: no screenshot: ${errorText(error)}`);
    }
  }
}
