/** A sink that a test scripts, and that records what it received. */
import { type Message, type Sink, SinkError, type SinkReason } from '@skolo/alerts';

interface Sent {
  key: string;
  ids: string[];
}

export interface FakeSink extends Sink {
  readonly limits: { orderingKeys: number; messages: number; perMinute?: number | undefined };
  /** Every call, including failed ones. */
  readonly calls: Sent[];
  /** What arrived, by ordering key, including duplicates. */
  readonly arrived: Map<string, string[]>;
  /** Maximum number of parallel calls. */
  most: number;
  underWay: number;
  /** What a call does; it arrives when this is fulfilled. */
  behave: (messages: readonly Message[], key: string, signal: AbortSignal) => Promise<void> | void;
  arrive(messages: readonly Message[], key: string): void;
}

export function fakeSink(
  options: { name?: string; keys?: number; messages?: number; perMinute?: number } = {},
): FakeSink {
  const { name = 'pubsub', keys = 4, messages: most = 10, perMinute } = options;
  const busy = new Set<string>();
  const sink: FakeSink = {
    name,
    limits: { orderingKeys: keys, messages: most, perMinute },
    calls: [],
    arrived: new Map(),
    most: 0,
    underWay: 0,
    behave: () => undefined,
    orderingKeyOf(message) {
      if (message.kind === 'heartbeat') return 'heartbeat';
      return message.kind === 'notice' ? 'key-0' : (message.alert.labels.key ?? 'key-0');
    },
    arrive(messages, key) {
      const there = sink.arrived.get(key) ?? [];
      there.push(...messages.map(({ id }) => id));
      sink.arrived.set(key, there);
    },
    async send(messages, key, signal) {
      if (busy.has(key)) throw new Error(`${key} is under way already`);
      if (messages.length === 0 || messages.length > most) throw new Error('not as many');
      busy.add(key);
      sink.underWay += 1;
      sink.most = Math.max(sink.most, sink.underWay);
      sink.calls.push({ key, ids: messages.map(({ id }) => id) });
      try {
        await sink.behave(messages, key, signal);
        sink.arrive(messages, key);
      } finally {
        busy.delete(key);
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

/** Never responds; ends when aborted. */
export function hangs(signal: AbortSignal): Promise<void> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason));
  });
}
