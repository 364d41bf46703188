/** A delivery between a spool in memory and a scripted sink. */
import type { AlertMessage, NoticeMessage } from '@skolo/alerts';
import type { DeadLetter } from '@skolo/api';
import { type Clock, createEvents, createLogger } from '@skolo/common';
import { onTestFinished } from 'vitest';
import { createEventLog } from '../../event-log.ts';
import type { AlertEvent } from '../../events.ts';
import type { NoticeDraft } from '../../intake/notices.ts';
import { type SteppedTime, steppedTime } from '../../testing/stepped-time.ts';
import { Delivery, type DeliveryDeps } from '../delivery.ts';
import { type FakeSink, fakeSink } from './fake-sink.ts';
import { MemorySpool } from './memory-spool.ts';

/** Of the alert with this key. */
export function alert(id: string, key: string, at: number): AlertMessage {
  const time = new Date(at).toISOString();
  return {
    kind: 'transition',
    id,
    at: time,
    alert: {
      fingerprint: key,
      status: 'firing',
      labels: { alertname: 'Hot', key },
      annotations: {},
      startsAt: time,
    },
    endpoint: 'webhook',
    first: time,
    last: time,
    count: 1,
  };
}

/** A notice in the spool. */
export function gap(more: { id: string; sink?: string }): string {
  const at = '2026-11-20T12:00:00Z';
  return JSON.stringify({ kind: 'notice', at, notice: 'gap', text: '', facts: {}, ...more });
}

/** Events, and the log messages made from them. */
export function loggedEvents(clock: Clock) {
  const { emit, consume } = createEvents<AlertEvent>();
  const messages: unknown[] = [];
  const write = (line: string) => void messages.push(JSON.parse(line).msg);
  consume(createEventLog(createLogger({ service: 'test', destination: { write } }), clock));
  return { emit, consume, messages };
}

export interface LabOptions extends Partial<Omit<DeliveryDeps, 'spool' | 'sink' | 'intake'>> {
  intake?: Pick<DeliveryDeps['intake'], 'next' | 'refreshOf'>;
  notify?: DeliveryDeps['intake']['notify'];
  sink?: FakeSink;
  spool?: MemorySpool;
  time?: SteppedTime;
  /** The spool as seen by the delivery. */
  spoolAs?: (spool: MemorySpool) => DeliveryDeps['spool'];
}

export function createLab(options: LabOptions = {}) {
  const { sink = fakeSink(), spool = new MemorySpool(), time = steppedTime() } = options;
  const { spoolAs = () => spool, intake, notify, ...others } = options;
  const logged = loggedEvents(time.clock);
  const letters: DeadLetter[] = [];
  const sent = { messages: 0, batches: 0, rejected: 0 };
  const failures: { reason: string; code: string }[] = [];
  logged.consume((event) => {
    if (event.type === 'sent') {
      sent.messages += event.messages;
      sent.batches += 1;
    } else if (event.type === 'send-failed') {
      failures.push({ reason: event.reason, code: event.code });
    } else if (event.type === 'dead-letter') {
      sent.rejected += 1;
    }
  });
  let count = spool.records.filter(({ text }) => !text.includes('"notice"')).length;

  async function append(notice: NoticeDraft): Promise<void> {
    const at = new Date(time.clock.now()).toISOString();
    const message: NoticeMessage = { kind: 'notice', id: `notice-${spool.next}`, at, ...notice };
    await spool.append([JSON.stringify(message)]);
  }

  function newDelivery(): Delivery {
    return new Delivery({
      deadLetters: {
        async add(added) {
          letters.push(...added);
        },
      },
      intake: {
        get next() {
          return intake?.next ?? spool.next;
        },
        refreshOf: (fingerprint) => intake?.refreshOf(fingerprint),
        notify: notify ?? append,
      },
      clock: time.clock,
      emit: logged.emit,
      random: () => 0,
      pause: time.pause,
      ...others,
      spool: spoolAs(spool),
      sink,
    });
  }

  return {
    sink,
    spool,
    time,
    logged,
    letters,
    sent,
    failures,
    delivery: newDelivery(),
    /** Another process on the same spool. */
    newDelivery,
    /** Accepts this many alerts now, rotating over the ordering keys. Returns their IDs. */
    async accept(many: number, keys = 1): Promise<string[]> {
      const ids = Array.from({ length: many }, (_, index) => `m${count + index}`);
      const texts = ids.map((id, index) => {
        const key = `key-${(count + index) % keys}`;
        return JSON.stringify(alert(id, key, time.clock.now()));
      });
      count += many;
      await spool.append(texts);
      return ids;
    },
    /** The notices that reached the sink. */
    notices(): NoticeMessage[] {
      const seen = new Set([...sink.arrived.values()].flat());
      return spool.records
        .map(({ text }): NoticeMessage => JSON.parse(text))
        .filter(({ kind, id }) => kind === 'notice' && seen.has(id));
    },
    isEmpty: () => sink.underWay === 0 && spool.cursor(sink.name) === spool.next,
  };
}

/** Its deliveries are stopped when the test ends. */
export function lab(options: LabOptions = {}) {
  const { time, newDelivery, delivery, ...others } = createLab(options);
  function stopAtTheEnd(started: Delivery): Delivery {
    onTestFinished(async () => {
      const stopping = started.stop();
      await time.pass(60_000);
      await stopping;
    });
    return started;
  }
  return {
    ...others,
    time,
    delivery: stopAtTheEnd(delivery),
    newDelivery: () => stopAtTheEnd(newDelivery()),
  };
}

/** Started, with so many alerts of so many ordering keys in the spool. */
export async function startedLab(many: number, keys = 1, options: LabOptions = {}) {
  const made = lab(options);
  const ids = await made.accept(many, keys);
  made.delivery.start();
  return { ...made, ids };
}
