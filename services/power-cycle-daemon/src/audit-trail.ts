/** What came of each cycle, in the audit log; and the requests that did not come through the API, which records its own. */
import { type AuditLog, errorText, type Logger } from '@skolo/common';
import { type CycleRecord, feedKey } from './records.ts';
import { type Accepted, type Request, RequestRefused } from './requests.ts';

export class AuditTrail {
  private readonly audit: Pick<AuditLog, 'append'>;
  private readonly log: Logger;

  constructor(audit: Pick<AuditLog, 'append'>, log: Logger) {
    this.audit = audit;
    this.log = log;
  }

  /**
   * Records a request before it is taken, and what came of it.
   *
   * @throws AuditUnavailable Nothing was taken.
   */
  async recorded(request: Request, take: () => Promise<Accepted>): Promise<Accepted> {
    const { by: who, origin, reason: why, targets, ask, skipRefused } = request;
    const { action, ...how } = ask;
    const input = { ...how, skipRefused };
    const entry = { who, what: `${origin}: ${action}`, target: targets.join(' '), input, why };
    await this.audit.append({ ...entry, outcome: 'begun' });
    try {
      const accepted = await take();
      await this.append({ ...entry, outcome: 'accepted', answer: { ...accepted } });
      return accepted;
    } catch (error) {
      const word = error instanceof RequestRefused ? 'refused' : 'failed';
      await this.append({ ...entry, outcome: `${word}: ${errorText(error)}` });
      throw error;
    }
  }

  /** The end of a cycle. Never throws: the power does not wait for the log. */
  finished({
    id,
    target,
    by: who,
    action,
    reason: why,
    outcome,
    detail,
    ...how
  }: CycleRecord): void {
    const told = detail === undefined ? `${outcome}` : `${outcome}: ${detail}`;
    const { mode, force, offSeconds, feeds } = how;
    const input = { mode, force, offSeconds, outlets: feeds.map(feedKey) };
    void this.append({ who, what: `${action} ${id}`, target, input, why, outcome: told });
  }

  private async append(entry: Parameters<AuditLog['append']>[0]): Promise<void> {
    await this.audit.append(entry).catch((error: unknown) => {
      this.log.error({ err: error, entry }, 'not in the audit log');
    });
  }
}
