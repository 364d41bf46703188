/** Why the bot may take no tasks now, as Swarming hears it. */
import { healthText, type Reason, type Verdict, verdicts } from '../health/health.ts';
import type { AgentView } from './agent-view.ts';
import { cutText } from './valid-dimensions.ts';

/** Texts are never empty; absent: nothing of that kind. */
export interface NoTasks {
  verdict: Verdict;
  /** Somebody is needed, and Swarming alerts. */
  quarantined?: string;
  /** It passes, or was wanted. */
  maintenance?: string;
}

/** Enough for people; a state is sent with every poll. */
const mostBytes = 1000;

export function noTasks(view: AgentView): NoTasks {
  const { health } = view;
  const unknown = notKnown(view);
  const verdict = worse(health.verdict, unknown === undefined ? 'ok' : 'maintenance');
  const hard = textOf(view, (reason) => reason.verdict === 'quarantined');
  const soft = textOf(view, (reason) => reason.verdict !== 'quarantined');
  const quarantined = hard || (verdict === 'quarantined' ? 'quarantined, nothing says why' : '');
  // What is said here takes no tasks, also where health has not yet heard of it.
  const passes = soft.includes(unknownMark) ? soft : [unknown, soft].filter(Boolean).join('; ');
  const isSilent = passes === '' && (verdict === 'recovering' || verdict === 'maintenance');
  const maintenance = isSilent ? `${verdict}, nothing says why` : passes;
  return {
    verdict,
    ...(quarantined !== '' && { quarantined: cutText(quarantined, mostBytes) }),
    ...(maintenance !== '' && { maintenance: cutText(maintenance, mostBytes) }),
  };
}

const unknownMark = 'not known yet';

/** Before the first reading nothing is missing: it is only not known. */
function notKnown({ slice, whyUnknown, devices }: AgentView): string | undefined {
  if (slice === undefined) {
    return `${unknownMark}: ${whyUnknown || 'what rack.yaml says of this machine'}`;
  }
  const unread = devices.filter(({ state }) => state === 'unknown').map(({ name }) => name);
  return unread.length === 0 ? undefined : `${unknownMark}: ${unread.join(', ')}`;
}

function textOf({ health }: AgentView, which: (reason: Reason) => boolean): string {
  return healthText({ ...health, reasons: health.reasons.filter(which) }).trim();
}

function worse(a: Verdict, b: Verdict): Verdict {
  return verdicts.indexOf(a) < verdicts.indexOf(b) ? b : a;
}
