/** Decides how the audit log is shown: one row for each change, for the console and the command. Loads no schema. */
import type { AuditedChange } from './merge-logs.ts';

/** By name of the route, or by the log's own words. */
export const auditWords: Readonly<Record<string, string>> = {
  acceptLoss: 'accept lost versions',
  addNote: 'note',
  adopt: 'name a Raspberry Pi',
  cancelCycle: 'cancel power cycle',
  checkRestore: 'check of a restore',
  clear: 'clear quarantine',
  createLink: 'sign-in link',
  endBusy: 'end of job',
  endOnIt: 'end of holds of an incident',
  endOrder: 'end of order',
  forgetHostKey: 'forget host key',
  forgetPendingOn: 'forget outlet',
  hold: 'hold',
  newEnrolmentSecret: 'new SD card secret',
  order: 'order',
  reboot: 'reboot',
  receiveHistory: 'receive versions',
  release: 'end of hold',
  repair: 'repair step',
  reportedOrder: 'order reported by the machine',
  requestBackup: 'backup',
  requestCycles: 'power cycle',
  restore: 'restore',
  restoreHistory: 'restore of versions',
  retryDeadLetters: 'resend dead letters',
  revokeEnrolmentSecret: 'revoke SD card secret',
  revokeKey: 'revoke Raspberry Pi',
  screen: 'screenshot',
  sendTest: 'test alert',
  signIn: 'sign-in',
  signOut: 'sign-out',
  storeLockdown: 'lockdown key',
  switchOutlets: 'switch outlets',
};

const signIns: ReadonlySet<string> = new Set(['signIn', 'signOut', 'createLink']);

/** People sign in and out often, and this changes nothing. */
export function isSignIn({ what }: Pick<AuditedChange, 'what'>): boolean {
  return signIns.has(what);
}

export interface AuditRow<Service extends string = string> extends AuditedChange<Service> {
  /** `what`, in words. */
  action: string;
  /** First word of the outcome, such as `rejected`; the rest is `because`. */
  result: string;
  /** Why it was rejected or failed, or how it ended. */
  because?: string;
  /** More than one for folded sign-ins; the row is the latest. */
  times: number;
}

/** Consecutive sign-ins and sign-outs of a person become one row. @param changes in order of time, either way */
export function auditRows<Service extends string>(
  changes: readonly AuditedChange<Service>[],
): AuditRow<Service>[] {
  const rows: AuditRow<Service>[] = [];
  for (const change of changes) {
    const last = rows.at(-1);
    if (last && isSameVisit(last, change)) {
      const { time } = change.time > last.time ? change : last;
      rows[rows.length - 1] = { ...last, time, action: 'sign-in', times: last.times + 1 };
    } else {
      rows.push({ ...change, action: actionOf(change), ...resultOf(change), times: 1 });
    }
  }
  return rows;
}

function isSameVisit(one: AuditedChange, other: AuditedChange): boolean {
  const isFoldable = (change: AuditedChange) => isSignIn(change) && change.outcome === 'done';
  return isFoldable(one) && isFoldable(other) && one.who === other.who;
}

/** What was done, in words. `cycle 0193…`: how a cycle ended; `agent: cycle`: requested by an agent. */
export function actionOf({ what, input, answer }: AuditedChange): string {
  if (what === 'order' && typeof input?.kind === 'string') return input.kind;
  if (what === 'endOrder' && typeof answer?.kind === 'string') return `end of ${answer.kind}`;
  if (what === 'switchOutlets' && typeof input?.state === 'string') return `turn ${input.state}`;
  const [, origin, action] = /^(?:(\w+): )?(cycle|on|off)\b/.exec(what) ?? [];
  if (action === undefined) return auditWords[what] ?? what;
  const word = action === 'cycle' ? 'power cycle' : `turn ${action}`;
  return origin === undefined ? `end of ${word}` : `${word} (${origin})`;
}

function resultOf({ outcome, answer }: AuditedChange): Pick<AuditRow, 'result' | 'because'> {
  const [result = '', ...rest] = outcome.split(': ');
  const because = rest.join(': ') || rejectedPart(answer?.rejected);
  return { result, ...(because && { because }) };
}

/** Targets that an accepted request left out. */
function rejectedPart(rejected: unknown): string {
  if (!Array.isArray(rejected) || rejected.length === 0) return '';
  const detail: unknown = rejected[0]?.detail;
  const more = rejected.length > 1 ? `, and ${rejected.length - 1} more` : '';
  return `rejected: ${typeof detail === 'string' ? detail : 'some targets'}${more}`;
}
