import { expect, it } from 'vitest';
import { Arrived } from '../state/arrived.ts';
import { steppedTime } from '../testing/stepped-time.ts';
import { Backlog } from './backlog.ts';
import { SpoolReader } from './read-spool.ts';
import { SetAside } from './set-aside.ts';
import { alert, loggedEvents } from './testing/delivery-lab.ts';
import { fakeSink } from './testing/fake-sink.ts';
import { MemorySpool } from './testing/memory-spool.ts';

it.each([
  ['empty lists', { junk: Array.from({ length: 1000 }, () => []) }, 10],
  [
    'names of their own',
    Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`k${i}`, 0])),
    16,
  ],
  ['a text', { text: 'x'.repeat(100_000) }, 10],
])(
  'SpoolReader reads ahead what fits into memory, not what has short texts: %s',
  async (_, more, most) => {
    const { clock } = steppedTime();
    const { emit } = loggedEvents(clock);
    const [sink, spool, arrived] = [fakeSink(), new MemorySpool(), new Arrived()];
    const texts = Array.from({ length: 100 }, (_, i) => {
      const message = alert(`m${i}`, 'key-0', clock.now());
      return JSON.stringify({ ...message, alert: { ...message.alert, more } });
    });
    await spool.append(texts);
    const backlog = new Backlog(1, { messages: 1000, bytes: 2 ** 20 }, sink);
    const deadLetters = { add: () => Promise.resolve() };
    const setAside = new SetAside({ sink, deadLetters, clock, emit });
    const parts = { spool, sink, backlog, arrived, setAside, clock };

    let messages = 0;
    for await (const step of new SpoolReader(parts).steps()) {
      if (typeof step === 'string') break;
      messages += 1;
    }

    expect(messages).toBeGreaterThan(0);
    expect(messages).toBeLessThanOrEqual(most);
  },
);
