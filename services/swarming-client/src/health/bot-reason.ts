/**
 * A machine whose bot does not start takes no tasks, however healthy it is. The answers to that bot's hooks omit this reason: a bot that
 * starts after all would quarantine itself with it.
 */
import type { BotView } from '../bot/bot-view.ts';
import type { Health, Reason } from './health.ts';

/** A bot that ends once, for a reboot or an update, is back after a few seconds. */
const leastStarts = 3;
/** The server, the internet connection or the metadata server may have recovered by then. After that, a person must act. */
const recoversWithinMs = 600_000;

interface BotFacts {
  machine: string;
  bot: Pick<BotView, 'failing' | 'since'>;
  /** Why there is no server for the bot; undefined: there is one, or the settings are not known yet. */
  noServer: string | undefined;
  now: Date;
}

/** The machine's health, including what keeps its bot from starting. */
export function withBot(health: Health, facts: BotFacts): Health {
  const reason = reasonOf(facts);
  if (reason === undefined) return health;
  const reasons = [...health.reasons, reason];
  const isWorse = health.verdict === 'ok' || reason.verdict === 'quarantined';
  if (!isWorse || health.verdict === 'quarantined') return { ...health, reasons };
  return { verdict: reason.verdict, since: reason.since, reasons: reasons.reverse() };
}

function reasonOf({ machine, bot, noServer, now }: BotFacts): Reason | undefined {
  const code = 'bot-not-started';
  if (noServer !== undefined) {
    return {
      verdict: 'quarantined',
      code,
      text: `no bot is running: ${noServer}`,
      since: bot.since,
    };
  }
  if (bot.failing === undefined) return undefined;
  const { since, starts, why } = bot.failing;
  const isLong = now.getTime() - since.getTime() >= recoversWithinMs;
  if (!isLong && starts < leastStarts) return undefined;
  const remedy = why.includes(';') ? '' : `; for details, run \`skolo machine log ${machine}\``;
  const text = `the bot is not starting: ${why}${remedy}`;
  return { verdict: isLong ? 'quarantined' : 'recovering', code, text, since };
}
