/** A sink that does what a test tells it, and remembers what it got. */
import { type Message, type Sink, SinkError, type SinkReason } from '@skolo/alerts';

export interface Sent {
  lane: string;
  ids: string[];
}

export interface FakeSink extends Sink {
  readonly limits: { orderingKeys: number; messages: number };
  /** Every call, also those that failed. */
  readonly calls: Sent[];
  /** What arrived by lane, duplicates included. */
  readonly arrived: Map<string, string[]>;
  /** Most calls at the same time. */
  most: number;
  underWay: number;
  /** What a call does; it arrives when this is fulfilled. */
  behave: (messages: readonly Message[], lane: string, signal: AbortSignal) => Promise<void> | void;
  arrive(messages: readonly Message[], lane: string): void;
}

export function fakeSink(
  options: { name?: string; lanes?: number; messages?: number } = {},
): FakeSink {
  const { name = 'pubsub', lanes = 4, messages: most = 10 } = options;
  const busy = new Set<string>();
  const sink: FakeSink = {
    name,
    limits: { orderingKeys: lanes, messages: most },
    calls: [],
    arrived: new Map(),
    most: 0,
    underWay: 0,
    behave: () => undefined,
    orderingKeyOf(message) {
      if (message.kind === 'heartbeat') return 'heartbeat';
      return message.kind === 'notice' ? 'lane-0' : (message.alert.labels.lane ?? 'lane-0');
    },
    arrive(messages, lane) {
      const there = sink.arrived.get(lane) ?? [];
      there.push(...messages.map(({ id }) => id));
      sink.arrived.set(lane, there);
    },
    async send(messages, lane, signal) {
      if (busy.has(lane)) throw new Error(`${lane} is under way already`);
      if (messages.length === 0 || messages.length > most) throw new Error('not as many');
      busy.add(lane);
      sink.underWay += 1;
      sink.most = Math.max(sink.most, sink.underWay);
      sink.calls.push({ lane, ids: messages.map(({ id }) => id) });
      try {
        await sink.behave(messages, lane, signal);
        sink.arrive(messages, lane);
      } finally {
        busy.delete(lane);
        sink.underWay -= 1;
      }
    },
    close: async () => undefined,
  };
  return sink;
}

export function fails(reason: SinkReason, code = 'CODE'): never {
  throw new SinkError(reason, code, `it is ${reason}`);
}

/** Never answers; ends when it is told to. */
export function hangs(signal: AbortSignal): Promise<void> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason));
  });
}
