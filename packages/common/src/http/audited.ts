import { isSuccess, type RouteSpec } from '@skolo/api/route';
import type { AuditLog, NewAuditEntry } from '../audit.ts';
import type { Logger } from '../log.ts';
import { toProblem } from './errors.ts';

/** Everything of an audit entry but what came of it. */
export type Change = Omit<NewAuditEntry, 'outcome'>;

/** Whether calls of a route go to the audit log: whatever is no GET and needs more than reading, unless it says otherwise. */
export function changesSomething(spec: RouteSpec): boolean {
  if (spec.audited === false) return false;
  return spec.method !== 'get' && (spec.role === 'operate' || spec.role === 'admin');
}

/** The reason that the caller gives, by convention as `why` or `reason` in the body or the query. */
export function whyOf(request: { body: unknown; query: unknown }): string | undefined {
  for (const source of [request.body, request.query]) {
    if (typeof source !== 'object' || source === null) continue;
    for (const key of ['why', 'reason']) {
      const given: unknown = Reflect.get(source, key);
      if (typeof given === 'string') return given.slice(0, 1000);
    }
  }
  return undefined;
}

/**
 * Makes a change between two lines of the audit log. Without the first there is no change: it throws AuditUnavailable,
 * a 503. Without the second, because the disk filled up in between, the first stands alone and says `begun`.
 */
export async function recordChange<Answer extends { status: number }>(
  change: Change,
  { audit, log, make }: { audit: AuditLog; log: Logger; make: () => Promise<Answer> },
): Promise<Answer> {
  async function record(outcome: string) {
    await audit.append({ ...change, outcome }).catch((error: unknown) => {
      log.error({ err: error, change, outcome }, 'outcome not in the audit log');
    });
  }

  await audit.append({ ...change, outcome: 'begun' });
  try {
    const answer = await make();
    await record(outcomeOf(answer.status));
    return answer;
  } catch (error) {
    const { status, detail } = toProblem(error);
    await record(status < 500 ? `refused: ${detail}` : `failed: ${detail}`);
    throw error;
  }
}

function outcomeOf(status: number): string {
  if (status === 202) return 'accepted';
  return isSuccess(status) ? 'done' : `refused: ${status}`;
}
