/** Sends events to the webhook: changes with their diff, failures, and the summary of each run. */
import { shownId, type Version } from '@skolo/backup';
import { errorText } from '@skolo/base';
import type { Logger } from '@skolo/common';
import type { BackupEvent } from '../events.ts';
import type { Versions } from '../history/versions.ts';
import { summaryOf } from '../runs/summary.ts';
import { jumphostModel } from '../targets.ts';
import type { Webhook } from './webhook.ts';

interface NotifyDeps {
  webhook: Pick<Webhook, 'send' | 'wants'>;
  versions: Pick<Versions, 'diff'>;
  log: Pick<Logger, 'warn'>;
}

/** Fulfilled when the messages about an event are in the webhook's queue. Never throws. */
export async function notify(event: BackupEvent, deps: NotifyDeps): Promise<void> {
  const { webhook } = deps;
  if (event.type === 'run-finished') {
    const { id: run, devices } = event.run;
    webhook.send({ kind: 'run', run, summary: summaryOf(devices).text });
  }
  if (event.type !== 'device-done') return;
  const { run, device, outcome } = event;
  const { failure, detail, after, before } = outcome;
  if (failure !== undefined) {
    const summary = `${device}: ${detail}`;
    webhook.send({ kind: 'failure', run: run.id, device, failure, summary });
  }
  // The services' state always differs: an archive of it is no news.
  if (after === undefined || after.model === jumphostModel || !webhook.wants('change')) return;
  const diff = before && (await diffOf(before, after, deps));
  const summary = after.summary ?? `${device}: ${before ? 'changed' : 'first version'}`;
  const version = shownId(after);
  webhook.send({ kind: 'change', run: run.id, device, version, summary, diff: diff || undefined });
}

async function diffOf(before: Version, after: Version, { versions, log }: NotifyDeps) {
  try {
    return await versions.diff(before, after, false);
  } catch (error) {
    log.warn({ device: after.device, why: errorText(error) }, 'versions cannot be compared');
    return undefined;
  }
}
