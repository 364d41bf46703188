/** A delivery between a spool in memory and a sink that does as it is told. */
import type { AlertMessage, NoticeMessage } from '@skolo/alerts';
import type { DeadLetter } from '@skolo/api';
import { createLogger } from '@skolo/common';
import { Delivery, type DeliveryDeps } from '../deliver.ts';
import { type FakeSink, fakeSink } from './fake-sink.ts';
import { type FakeTime, fakeTime } from './fake-time.ts';
import { MemorySpool } from './memory-spool.ts';

export function alert(id: string, lane: string, at: number): AlertMessage {
  const time = new Date(at).toISOString();
  return {
    kind: 'transition',
    id,
    at: time,
    alert: {
      fingerprint: '0123456789abcdef',
      status: 'firing',
      labels: { alertname: 'Hot', lane },
      annotations: {},
      startsAt: time,
    },
    door: 'webhook',
    first: time,
    last: time,
    count: 1,
  };
}

/** A log of which a test reads the messages. */
export function memoryLog() {
  const messages: unknown[] = [];
  const write = (line: string) => void messages.push(JSON.parse(line).msg);
  return { log: createLogger({ service: 'test', destination: { write } }), messages };
}

export interface LabOptions extends Partial<Omit<DeliveryDeps, 'spool' | 'sink'>> {
  sink?: FakeSink;
  spool?: MemorySpool;
  time?: FakeTime;
  /** What the delivery sees of the spool. */
  spoolAs?: (spool: MemorySpool) => DeliveryDeps['spool'];
}

export function lab(options: LabOptions = {}) {
  const { sink = fakeSink(), spool = new MemorySpool(), time = fakeTime() } = options;
  const { spoolAs = () => spool, ...others } = options;
  const logged = memoryLog();
  const letters: DeadLetter[] = [];
  const sent = { messages: 0, batches: 0, refused: 0 };
  const failures: { reason: string; code: string }[] = [];
  let count = spool.records.filter(({ text }) => !text.includes('"notice"')).length;

  function begin(): Delivery {
    return new Delivery({
      deadLetters: {
        async add(added) {
          letters.push(...added);
        },
      },
      async notice(notice) {
        const at = new Date(time.clock.now()).toISOString();
        const message: NoticeMessage = {
          kind: 'notice',
          id: `notice-${spool.next}`,
          at,
          ...notice,
        };
        await spool.append([JSON.stringify(message)]);
      },
      known: { next: () => spool.next, refreshOf: () => undefined },
      clock: time.clock,
      log: logged.log,
      random: () => 0,
      pause: time.pause,
      onSent({ messages }) {
        sent.messages += messages;
        sent.batches += 1;
      },
      onFailed: (failure) => failures.push(failure),
      onSetAside() {
        sent.refused += 1;
      },
      ...others,
      spool: spoolAs(spool),
      sink,
    });
  }

  return {
    ...{ sink, spool, time, logged, letters, sent, failures },
    delivery: begin(),
    /** Another process on the same spool. */
    begin,
    /** Accepts so many alerts now, on one lane after the other. Gives their ids. */
    async accept(many: number, lanes = 1): Promise<string[]> {
      const ids = Array.from({ length: many }, (_, index) => `m${count + index}`);
      const texts = ids.map((id, index) => {
        const lane = `lane-${(count + index) % lanes}`;
        return JSON.stringify(alert(id, lane, time.clock.now()));
      });
      count += many;
      await spool.append(texts);
      return ids;
    },
    /** The notices that came to the sink. */
    notices(): NoticeMessage[] {
      const seen = new Set([...sink.arrived.values()].flat());
      return spool.records
        .map(({ text }): NoticeMessage => JSON.parse(text))
        .filter(({ kind, id }) => kind === 'notice' && seen.has(id));
    },
    isEmpty: () => sink.underWay === 0 && spool.cursor(sink.name) === spool.next,
  };
}
