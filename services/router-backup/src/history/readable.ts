/** A version as text, with secrets masked unless the reader may see them, and the difference between two versions. */

import { difference, type Version } from '@skolo/backup';
import { HttpProblem } from '@skolo/common';
import type { BackupModel, CreateBackup } from '@skolo/models/backup';
import { type Mask, textOf } from '@skolo/models/configuration';
import type { InfrastructureDevice } from '@skolo/rack';
import type { Base } from '../base.ts';
import { deviceOf } from '../targets.ts';
import type { Versions } from './versions.ts';

/** Text takes many times its size in memory, and every caller with the role view may request it. */
const mostBytes = 64 * 1024 * 1024;

interface ReadableDeps extends Pick<Base, 'rack'> {
  versions: Versions;
  mask: Mask;
  models: ReadonlyMap<string, CreateBackup>;
}

export class Readable {
  private readonly deps: ReadableDeps;

  constructor(deps: ReadableDeps) {
    this.deps = deps;
  }

  /** @throws BackupError. HttpProblem 409: it is too large. */
  async text(version: Version, showsSecrets: boolean): Promise<string> {
    const { device, id, size = 0 } = version;
    if (size > mostBytes) {
      const how = `skolo backup show ${device} --version ${id.slice(0, 12)} --secrets -o FILE`;
      throw new HttpProblem(
        409,
        `its ${size} bytes are too many to be shown; an admin gets them: ${how}`,
      );
    }
    return this.readable(version, await this.deps.versions.content(version), showsSecrets);
  }

  /** Text of bytes that may not be a version yet. */
  readable(of: Pick<Version, 'device' | 'model'>, content: Buffer, showsSecrets = false): string {
    const model = this.model(of);
    const text = textOf(content, model?.format ?? 'text');
    return showsSecrets ? text : this.masked(text, model);
  }

  /** A unified diff; empty: the same. @throws BackupError */
  async diff(from: Version, to: Version, showsSecrets: boolean): Promise<string> {
    const [one, other] = await Promise.all([
      this.text(from, showsSecrets),
      this.text(to, showsSecrets),
    ]);
    return difference(one, other, { from: nameOf(from), to: nameOf(to) });
  }

  /** The model of a version: as rack.yaml has the device now, or else as the version names it. */
  model({ device: name, model }: Pick<Version, 'device' | 'model'>): BackupModel | undefined {
    const { rack, models } = this.deps;
    const { infrastructure } = rack();
    const device = infrastructure.get(name) ?? infrastructure.get(deviceOf(name));
    if (device !== undefined && (model === undefined || device.model === model)) {
      return models.get(device.model)?.(device);
    }
    if (model === undefined) return undefined;
    const retired: InfrastructureDevice = {
      name,
      model,
      ports: {},
      power: [],
      transport: 'ssh',
      backup: true,
      options: {},
    };
    // The description of a generic device was in its entry of rack.yaml.
    return model === 'generic' ? undefined : models.get(model)?.(retired);
  }

  private masked(text: string, model: BackupModel | undefined): string {
    return this.deps.mask.text(text, model?.secrets ?? []);
  }
}

function nameOf({ device, id, time }: Version): string {
  return `${device} ${id.slice(0, 12)} ${time}`;
}
