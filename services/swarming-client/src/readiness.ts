/** What `/readyz` says: whether the agent can do its work, and what does not work although it can. */
import type { Degraded, ReadinessNow } from '@skolo/common/light';
import type { BotView } from './bot/bot-view.ts';
import { type Health, healthText } from './health/health.ts';

export interface ReadinessFacts {
  /** It is known what rack.yaml says of this machine. */
  isKnown: boolean;
  /** Why not, for people; and since when nobody has said so. */
  whyUnknown: string;
  startedAt: Date;
  isStopping: boolean;
  /** What was said to be degraded. */
  told: Degraded[];
  bot: BotView;
  health: Health;
}

export function readinessOf(facts: ReadinessFacts): ReadinessNow {
  const { isKnown, whyUnknown, startedAt, isStopping, told, bot, health } = facts;
  const isSaid = isKnown || told.some(({ what }) => what === 'identity');
  const unsaid = isSaid ? [] : [{ what: 'identity', why: whyUnknown, since: startedAt }];
  return {
    ready: isKnown && !isStopping,
    degraded: [...told, ...unsaid, ...ofBot(bot, isKnown), ...ofHealth(health)],
  };
}

function ofBot({ state, why, since }: BotView, isKnown: boolean): Degraded[] {
  const isHeldUp =
    state === 'backing-off' || state === 'silent' || (state === 'waiting' && isKnown);
  return isHeldUp && why !== undefined ? [{ what: 'bot', why, since }] : [];
}

function ofHealth(health: Health): Degraded[] {
  if (health.verdict !== 'quarantined') return [];
  return [{ what: 'health', why: healthText(health), since: health.since }];
}
