/** Backs up the jumphost like a device: each run creates one encrypted archive, which is kept unless nothing has changed. */

import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Version } from '@skolo/backup';
import type { RestoreStep } from '@skolo/equipment/models/backup';
import { neverArchived } from '@skolo/rack/jumphost';
import type { Occasion, Stored } from '../outcome.ts';
import type { PartDeps } from '../part-deps.ts';
import { archiveJumphost } from './archive.ts';
import { requestArchive, sharedFolder, usualLimits } from './archive-request.ts';
import { Archives } from './archives.ts';

interface JumphostBackupDeps extends Pick<PartDeps, 'rack' | 'clock' | 'emit'> {
  stateDir: string;
  /** Where rack.yaml is. */
  rackFile: string;
}

export class JumphostBackup {
  private readonly deps: JumphostBackupDeps;
  private opened: Archives | undefined;

  constructor(deps: JumphostBackupDeps) {
    this.deps = deps;
  }

  /** @throws BackupError */
  async store({ run, by, reason, isByHand }: Occasion, signal: AbortSignal): Promise<Stored> {
    const { rack, rackFile, stateDir, clock, emit } = this.deps;
    const archives = await this.archives();
    const { jumphost, encrypt, retention } = rack().services['router-backup'];
    const before = archives.newest();
    const due = { timezone: rack().timezone, retained: retention.versions };
    // A person may be about to replace the jumphost.
    const history = isByHand || archives.isHistoryDue(clock.now(), due);
    const archive =
      (await requestArchive(sharedFolder, { ...usualLimits, history, signal })) ??
      (await archiveJumphost({
        rack: rack(),
        paths: [...jumphost.paths, rackFile],
        exclude: [sharedFolder, ...neverArchived.map((name) => join(stateDir, name))],
        history,
        recipients: encrypt,
        folder: archives.folder,
        scratch: join(stateDir, 'scratch', archives.device),
        signal,
        now: clock.now(),
      }));
    const time = new Date(clock.now()).toISOString();
    const about = { time, run, by, reason };
    const { version: after, changed: isNew } = await archives.add(archive, about);
    await archives.retain(retention.versions);
    if (isNew) emit({ type: 'version-stored', version: after });
    const facts = { versions: archives.count() };
    return { before, after, isNew, left: archive.left, facts };
  }

  /** Opened when first needed, and again if the jumphost's name changes. @throws BackupError */
  async archives(): Promise<Archives> {
    const { rack, stateDir } = this.deps;
    const { name } = rack().jumphost;
    if (this.opened?.device !== name) {
      // 0.2.0 shared this directory with the host, and may have left copies of databases there.
      await rm(join(stateDir, 'jumphost'), { recursive: true, force: true });
      this.opened = await Archives.open(join(stateDir, 'archives'), name);
    }
    return this.opened;
  }
}

/** How an operator restores an archive, with the key that is not in the rack. */
export function jumphostSteps({ device, id, isPartial }: Version) {
  const file = `${device}.tar.gz.age`;
  const steps: RestoreStep[] = [
    {
      title: 'Get the archive',
      where: 'workstation',
      lines: [`skolo backup show ${device} --version ${id} --secrets -o ${file}`],
    },
    {
      title:
        'Decrypt the archive with the age identity of one of the recipients, and list its files',
      where: 'workstation',
      lines: [`age -d -i IDENTITY-FILE ${file} | tar -tzf -`],
    },
    {
      title: 'Unpack the archive on the new jumphost, before k3s and the services start',
      where: 'equipment',
      lines: [`age -d -i IDENTITY-FILE ${file} | tar -xzpf - -C /`],
    },
  ];
  if (isPartial) {
    steps.push({
      title: `Unpack the machine history from the newest archive with it (skolo backup list ${device})`,
      where: 'equipment',
      lines: [
        'age -d -i IDENTITY-FILE OLDER-ARCHIVE | tar -xzpf - -C / var/lib/skolo/machine-state/history.sqlite',
      ],
    });
  }
  return { comment: '#', steps, canApply: false, canCheck: false };
}
