/** The result of each cycle, in the audit log; and the requests that did not come through the API, which records its own. */

import type { AcceptedRequests } from '@skolo/api';
import { errorText } from '@skolo/base';
import type { AuditLog, Logger, NewAuditEntry } from '@skolo/common';
import { type Request, RequestRejected } from '../request/requests.ts';
import { type CycleRecord, feedKey } from '../state/records.ts';

export class AuditTrail {
  private readonly audit: Pick<AuditLog, 'appendLimited' | 'append'>;
  private readonly log: Logger;

  constructor(audit: Pick<AuditLog, 'appendLimited' | 'append'>, log: Logger) {
    this.audit = audit;
    this.log = log;
  }

  /**
   * Records a request before it is accepted, and its result.
   *
   * @throws AuditUnavailable Nothing was accepted.
   * @throws HttpProblem 429; nothing was accepted.
   */
  async recorded(
    request: Request,
    accept: () => Promise<AcceptedRequests>,
  ): Promise<AcceptedRequests> {
    const { by: who, origin, reason: why, targets, ask, skipRejected } = request;
    const { action, ...how } = ask;
    const input = { ...how, skipRejected };
    const entry = { who, what: `${origin}: ${action}`, target: targets.join(' '), input, why };
    return await this.around(entry, accept, {
      done: 'accepted',
      isAnonymous: origin === 'endpoint',
    });
  }

  /**
   * Records a change before it is made, and its result.
   *
   * @throws AuditUnavailable, HttpProblem 429: nothing was done.
   */
  async around<T extends { [key: string]: unknown }>(
    entry: Omit<NewAuditEntry, 'outcome' | 'answer'>,
    work: () => Promise<T>,
    { done = 'done', isAnonymous = false } = {},
  ): Promise<T> {
    await this.audit.appendLimited({ ...entry, outcome: 'begun' }, isAnonymous);
    try {
      const answer = await work();
      await this.append({ ...entry, outcome: done, answer: { ...answer } });
      return answer;
    } catch (error) {
      const result = error instanceof RequestRejected ? 'rejected' : 'failed';
      await this.append({ ...entry, outcome: `${result}: ${errorText(error)}` });
      throw error;
    }
  }

  /** Records the end of a cycle. Never throws, because the power does not wait for the log. */
  recordEnd(cycle: CycleRecord): void {
    const { id, target, by: who, action, reason: why, outcome, detail, ...how } = cycle;
    const result = detail === undefined ? `${outcome}` : `${outcome}: ${detail}`;
    const { mode, force, offSeconds, feeds } = how;
    const input = { mode, force, offSeconds, outlets: feeds.map(feedKey) };
    void this.append({ who, what: `${action} ${id}`, target, input, why, outcome: result });
  }

  private async append(entry: NewAuditEntry): Promise<void> {
    await this.audit.append(entry).catch((error: unknown) => {
      this.log.error({ err: error, entry }, 'audit log entry not written');
    });
  }
}
