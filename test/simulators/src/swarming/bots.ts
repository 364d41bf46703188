/** The bots that the server has heard of, and what is to be told to each. */
import { z } from 'zod';
import { type BotHealth, botHealthOf, type Dimensions, malformed, State } from './dimensions.ts';

/** What a bot tells of itself with most requests. */
export const Attributes = z.looseObject({
  dimensions: z.unknown(),
  state: State,
  version: z.string(),
});
export type Attributes = z.output<typeof Attributes>;

/**
 * - `exception`: an uncaught one; `killed`: signal 9; `hang`: its main thread never goes on; a number: exits with that
 *
 * No real server can ask for these.
 */
export type Crash = 'exception' | 'killed' | 'hang' | number;

type Order =
  | { cmd: 'bot_restart' | 'host_reboot'; message: string }
  | { cmd: 'terminate'; task_id: string }
  | { cmd: 'simulated_crash'; how: Crash };

export interface SwarmingBot extends BotHealth {
  readonly id: string;
  /** With those of the server's configuration; empty when they were malformed. */
  dimensions: Dimensions;
  /** As it sent them last. */
  sent: { dimensions: unknown; state: State };
  state: State;
  version: string;
  /** Process id, as its session tells. */
  pid?: number;
  events: { at: number; event: string; message: string }[];
  handshakes: number;
  polls: number;
  lastSeen: number;
  /** The commands that polls were answered with, oldest first. */
  commands: string[];
}

export class Bots {
  readonly all = new Map<string, SwarmingBot>();
  /** Of the server's configuration: they replace the bot's. */
  readonly fixed: Dimensions;
  private readonly orders = new Map<string, Order[]>();

  constructor(fixed: Dimensions) {
    this.fixed = fixed;
  }

  see(id: string, { dimensions: given, state, version }: Attributes): SwarmingBot {
    const problems = malformed(given);
    const dimensions: Dimensions =
      problems.length > 0 ? {} : { ...(given as Dimensions), ...this.fixed };
    const health =
      problems.length > 0 ? { quarantined: problems.join('; ') } : botHealthOf(state, dimensions);
    const known = this.all.get(id);
    const bot: SwarmingBot = known ?? { ...newBot(id, version) };
    delete bot.quarantined;
    delete bot.maintenance;
    Object.assign(bot, health, {
      dimensions,
      state,
      version,
      sent: { dimensions: given, state },
      lastSeen: Date.now(),
    });
    this.all.set(id, bot);
    return bot;
  }

  /** To one, or to all that are known. @throws Error Nobody has heard of it */
  order(order: Order, id: string | undefined): void {
    if (id !== undefined && !this.all.has(id)) throw new Error(`no bot ${id} has been heard of`);
    for (const bot of id === undefined ? this.all.keys() : [id]) {
      this.orders.set(bot, [...(this.orders.get(bot) ?? []), order]);
    }
  }

  nextOrder(id: string): Order | undefined {
    return this.orders.get(id)?.shift();
  }
}

function newBot(id: string, version: string): SwarmingBot {
  const nothing = {};
  return {
    id,
    dimensions: {},
    sent: { dimensions: {}, state: nothing },
    state: nothing,
    version,
    events: [],
    handshakes: 0,
    polls: 0,
    lastSeen: 0,
    commands: [],
  };
}
