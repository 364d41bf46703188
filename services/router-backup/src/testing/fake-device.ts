/** A device in memory, and the model that reads it. Failures of real devices are tested with the models. */

import type { BackupModel, CreateBackup, Extent } from '@skolo/equipment/models/backup';
import { DeviceTimeout, DeviceUnreachable } from '@skolo/equipment/transports';

interface FakeDevice {
  /** Lines up to `end`, which marks it as complete. */
  text: string;
  startup?: string;
  serial?: string;
  hostname?: string;
  /** How much it says that it shows. */
  extent?: Extent;
  /** Why it does not show everything. */
  unseen?: string;
  /** The next reads fail with these. */
  failures: Error[];
  /** In front of the next readings; if there are any, only the end of a reading is verified. */
  messages?: string[];
  /** Reads wait for it. */
  gate?: Promise<void>;
  reads: number;
  /** Now, and the maximum of parallel reads. */
  reading: number;
  mostAtOnce: number;
  applied: string[];
}

/** Devices by name, created on first use. */
export class FakeDevices {
  private readonly devices = new Map<string, FakeDevice>();
  reading = 0;
  mostAtOnce = 0;

  get(name: string): FakeDevice {
    const known = this.devices.get(name) ?? {
      text: `hostname ${name}\npassword canary-${name}\nend\n`,
      hostname: name,
      failures: [],
      reads: 0,
      reading: 0,
      mostAtOnce: 0,
      applied: [],
    };
    this.devices.set(name, known);
    return known;
  }

  /** For each of these models in rack.yaml. */
  models(...names: string[]): ReadonlyMap<string, CreateBackup> {
    return new Map(names.map((name) => [name, (device) => this.model(device)]));
  }

  private model({ name: deviceName }: { name: string }): BackupModel {
    const device = () => this.get(deviceName);
    return {
      format: 'text',
      verifiedBy: device().messages ? 'mark' : 'transfer',
      read: async (connection) => {
        const fake = device();
        fake.reads += 1;
        fake.reading += 1;
        this.reading += 1;
        fake.mostAtOnce = Math.max(fake.mostAtOnce, fake.reading);
        this.mostAtOnce = Math.max(this.mostAtOnce, this.reading);
        try {
          void connection;
          await fake.gate;
          const failure = fake.failures.shift();
          if (failure !== undefined) throw failure;
          const { startup, serial, hostname, extent, unseen } = fake;
          const text = `${fake.messages?.shift() ?? ''}${fake.text}`;
          return {
            content: { bytes: Buffer.from(text) },
            identity: { serial, hostname },
            startup: startup === undefined ? undefined : Buffer.from(startup),
            ...(extent && { extent }),
            unseen,
          };
        } finally {
          fake.reading -= 1;
          this.reading -= 1;
        }
      },
      incomplete: (content) =>
        'bytes' in content && !content.bytes.toString().trimEnd().endsWith('end')
          ? 'the last line is not "end"'
          : undefined,
      volatile: [/^! up /],
      secrets: [/^password (\S+)/],
      restore: {
        comment: '!',
        steps: (content) => [
          { title: 'Type it', where: 'equipment', lines: content.toString().trimEnd().split('\n') },
        ],
        check: async () => ({ accepted: true, said: '' }),
        apply: async (_connection, content, step) => {
          step('typed it');
          device().text = content.toString();
          device().applied.push(content.toString());
        },
      },
    };
  }
}

export function unreachable(name: string): Error {
  return new DeviceUnreachable(name, 'no connection');
}

export function silent(name: string): Error {
  return new DeviceTimeout(name, 'no prompt within 30 s');
}
