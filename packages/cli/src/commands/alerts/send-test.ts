/** One alert, handed in where Prometheus hands in, and waited for where people read. */
import { randomBytes } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { testLabel } from '@skolo/alerts';
import type { SkoloCommand } from '../../command.ts';
import { exitCodes } from '../../exit-codes.ts';
import type { Io } from '../../io.ts';
import { printJson } from '../../output/json.ts';
import { untilStopped } from '../../until-stopped.ts';
import { Arrivals } from './arrivals.ts';
import { type AlertDoor, doorOf } from './door.ts';
import { type PubSubOptions, sourceOf } from './pubsub-options.ts';
import { Sending } from './sending.ts';
import { type AlertToPubsub, alertToPubsub } from './service.ts';

export interface SendTest {
  command: SkoloCommand;
  where: PubSubOptions;
  labels: Record<string, string>;
  resolveAfterMs: number;
  withinMs: number;
  /** Whether it is looked at Pub/Sub; otherwise the service is believed. */
  isSubscribed: boolean;
  json: boolean;
}

interface Way {
  /** Before anything is sent: what arrives before one listens is missed. */
  ready(): Promise<void>;
  /** @throws CliError It has not arrived in time; says where it has got to. */
  arrived(status: AlertStatus, acceptedAt: number): Promise<void>;
  /** What has arrived, in one word. */
  word: string;
  end(): Promise<void>;
}

type AlertStatus = 'firing' | 'resolved';

/** Sets the exit code; throws when it was not accepted, or has not arrived. */
export async function sendTest(io: Io, test: SendTest): Promise<void> {
  const service = await alertToPubsub(test.command);
  const door = await doorOf(test.command, service.baseUrl);
  const id = randomBytes(6).toString('hex');
  const stop = untilStopped(io);
  const way = await wayOf(test, { service, id, signal: stop.signal });
  try {
    await way.ready();
    const alert = new TestAlert({ ...test.labels, [testLabel]: id }, door, test);
    await alert.run(io, way, stop.signal);
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    io.exitCode = exitCodes.interrupted;
  } finally {
    stop.end();
    await way.end();
  }
}

interface WayDeps {
  service: AlertToPubsub;
  id: string;
  signal: AbortSignal;
}

async function wayOf(
  { command, where, withinMs, isSubscribed }: SendTest,
  deps: WayDeps,
): Promise<Way> {
  const { service, id, signal } = deps;
  if (!isSubscribed) return new Sending({ service, withinMs, signal });
  const source = await sourceOf(command, where);
  return new Arrivals({ source, service, withinMs, signal, test: { label: testLabel, id } });
}

/** Fires, and is resolved also when it did not arrive: it must not stand in the list for ever. */
class TestAlert {
  private readonly labels: Record<string, string>;
  private readonly door: AlertDoor;
  private readonly test: SendTest;
  private readonly startsAt = new Date().toISOString();

  constructor(labels: Record<string, string>, door: AlertDoor, test: SendTest) {
    this.labels = labels;
    this.door = door;
    this.test = test;
  }

  async run(io: Io, way: Way, signal: AbortSignal): Promise<void> {
    const { json, resolveAfterMs } = this.test;
    const delays: Record<string, object> = {};
    const step = async (status: AlertStatus) => {
      const began = performance.now();
      await this.post(status);
      const acceptedAt = performance.now();
      const acceptedMs = Math.round(acceptedAt - began);
      await way.arrived(status, acceptedAt);
      const arrivedMs = Math.round(performance.now() - began);
      delays[status] = { acceptedMs, [`${way.word}Ms`]: arrivedMs };
      const line = `${status.padEnd(8)}  accepted after ${acceptedMs} ms, ${way.word} after ${arrivedMs} ms`;
      if (!json) io.out(line);
    };
    try {
      await step('firing');
      await setTimeout(resolveAfterMs, undefined, { signal });
    } catch (error) {
      await this.post('resolved').catch(() => undefined);
      throw error;
    }
    await step('resolved');
    if (json) printJson(io, { labels: this.labels, ...delays });
  }

  private async post(status: AlertStatus): Promise<void> {
    const { withinMs, resolveAfterMs } = this.test;
    const now = Date.now();
    // Should nobody be left to say that it is over, it is over then.
    const endsAt = status === 'resolved' ? now : now + withinMs + resolveAfterMs + 60_000;
    await this.door.post({
      labels: this.labels,
      annotations: { summary: 'a test of the way of an alert; nothing is wrong' },
      startsAt: this.startsAt,
      endsAt: new Date(endsAt).toISOString(),
    });
  }
}
