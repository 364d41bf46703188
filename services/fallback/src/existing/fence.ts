/** Holds the journal of the power-cycle daemon, so that no daemon of ours turns anything off meanwhile (skolo-power-fence.service). */

import { closing, pause } from '@skolo/base';
import { Journal } from '@skolo/base/durable';
import { writeFileAtomic } from '@skolo/base/durable/atomic-file';
import { run } from '@skolo/base/run';
import { pendingOnTable } from '@skolo/rack/jumphost';

const journalFolder = '/var/lib/skolo/power-cycle-daemon/journal';
const pendingOn = `${pendingOnTable}!`;
const dayMs = 86_400_000;
/** Names of outlets, for who starts the fence. */
export const leftOffFile = '/run/skolo-power-fence/left-off.json';

/**
 * Until the signal is aborted. systemd is notified when it has the journal.
 *
 * @throws StorageUnavailable Another process has it, or the disk does not work.
 */
export async function holdJournal(signal: AbortSignal): Promise<void> {
  await using journal = closing(await Journal.open(journalFolder));
  const outlets = [...journal.entries(pendingOn)].map(([key]) => key.slice(pendingOn.length));
  await writeFileAtomic(leftOffFile, JSON.stringify(outlets));
  await run('systemd-notify', ['--ready']);
  // A listener alone would not keep the process.
  while (!signal.aborted) await pause(dayMs, signal).catch(() => undefined);
}
