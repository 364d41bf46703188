import { hostname } from 'node:os';
import { auditedAnswer, auditedInput, type ParsedInput } from '@skolo/api/audited-fields';
import { isSuccess, type RouteSpec } from '@skolo/api/route';
import { toProblem } from '../http/response/to-problem.ts';
import type { Logger } from '../process/log.ts';
import type { AuditLog, NewAuditEntry } from './audit-log.ts';

/** A call of a route, for the audit log. */
interface Call {
  name: string;
  spec: RouteSpec;
  given: ParsedInput;
  caller: Pick<NewAuditEntry, 'who' | 'role' | 'from'>;
  requestId: string;
  /** The machine that the service runs on; default: the name of the host. */
  self: string | undefined;
}

/**
 * Handles a call, and decides that nothing is changed without a line in the audit log: it writes one before and after a change, as
 * defined by the route's `audits`. Without the first line, nothing is changed: StorageUnavailable becomes a 503, and callers who write
 * too much get a 429. If the second is missing because the disk is full, only `begun` remains.
 */
export async function audited<Answer extends { status: number; body?: unknown }>(
  { name, spec, given, caller, requestId, self }: Call,
  { audit, log, make }: { audit: AuditLog | undefined; log: Logger; make: () => Promise<Answer> },
): Promise<Answer> {
  const { audits } = spec;
  if (audits === undefined || 'elsewhere' in audits) return make();
  if (audit === undefined) throw new TypeError(`${name}: there is no audit log`);
  const input = auditedInput(audits, given, self ?? hostname());
  const change = { ...caller, what: name, ...input, requestId };

  const record = async (outcome: string, answer?: Record<string, unknown>) => {
    const entry = { ...change, outcome, ...(answer && { answer }) };
    await audit.append(entry).catch((error: unknown) => {
      log.error({ err: error, entry }, 'cannot write outcome to the audit log');
    });
  };

  await audit.appendLimited({ ...change, outcome: 'begun' });
  try {
    const answer = await make();
    await record(outcomeOf(answer.status), auditedAnswer(audits, answer.body));
    return answer;
  } catch (error) {
    const { status, detail } = toProblem(error);
    await record(status < 500 ? `rejected: ${detail}` : `failed: ${detail}`);
    throw error;
  }
}

function outcomeOf(status: number): string {
  if (status === 202) return 'accepted';
  return isSuccess(status) ? 'done' : `rejected: ${status}`;
}
