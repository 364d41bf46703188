/** What somebody wants to hear of what came of a run: changes with what changed, failures, and the sum. */
import type { Version } from '@skolo/backup';
import { errorText, type Logger } from '@skolo/common';
import type { Outcome } from './backup.ts';
import type { Readable } from './readable.ts';
import type { RunRecord } from './records.ts';
import { summaryOf } from './summary.ts';
import { jumphostModel } from './targets.ts';
import type { Webhook } from './webhook.ts';

export interface TellerDeps {
  webhook: Pick<Webhook, 'send' | 'wants'>;
  readable: Pick<Readable, 'diff'>;
  log: Pick<Logger, 'warn'>;
}

export class Teller {
  private readonly deps: TellerDeps;

  constructor(deps: TellerDeps) {
    this.deps = deps;
  }

  /** Of one device, when nothing more is tried. */
  async outcome({ id: run }: RunRecord, device: string, outcome: Outcome): Promise<void> {
    const { webhook } = this.deps;
    const { failure, detail, after, before } = outcome;
    if (failure !== undefined) {
      webhook.send({ kind: 'failure', run, device, failure, summary: `${device}: ${detail}` });
    }
    // The state of the services is another one each time: an archive of it is no news.
    if (after === undefined || after.model === jumphostModel) return;
    // Two readings of the history for nobody.
    if (!webhook.wants('change')) return;
    const diff = before && (await this.diff(before, after));
    const summary = after.summary ?? `${device}: ${before ? 'changed' : 'first version'}`;
    const { id: version } = after;
    webhook.send({ kind: 'change', run, device, version, summary, ...(diff && { diff }) });
  }

  finished({ id: run, devices }: RunRecord): void {
    this.deps.webhook.send({ kind: 'run', run, summary: summaryOf(devices).text });
  }

  private async diff(before: Version, after: Version): Promise<string | undefined> {
    try {
      return await this.deps.readable.diff(before, after, false);
    } catch (error) {
      this.deps.log.warn({ device: after.device, why: errorText(error) }, 'change is not compared');
      return undefined;
    }
  }
}
