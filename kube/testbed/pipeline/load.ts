/**
 * Requests at a constant rate, whether the service answers or not, as users send them. A generator that waits for an answer before
 * it sends the next request slows down with the service, and hides its delay (coordinated omission). So a latency begins when the
 * request was due, also if it had to wait for a connection. autocannon and wrk wait, and estimate what they have missed.
 */
import { Agent, get } from 'node:http';
import { createHistogram } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';

interface Load {
  url: string;
  /** Requests in a second. */
  rate: number;
  seconds: number;
  /** For one request, from when it was due. */
  timeoutMs: number;
}

export interface Sample {
  /** Requests in a second, as asked for. */
  rate: number;
  /** Requests answered in a second, until the last one ended. */
  achieved: number;
  sent: number;
  /** No answer in time, or a status other than 200. */
  failed: number;
  /** Of answered requests. All are 0 if there is none. */
  latencyMs: { p10: number; p50: number; p90: number; p99: number; max: number };
  /** How late the sender itself was, which its latencies contain: on a busy computer nobody knows the service better. */
  lateMs: { p10: number; p50: number; p99: number };
}

/** More would measure the sockets of the sender. Requests without one wait, which counts. */
const mostConnections = 128;

/** @throws The signal's reason. */
export async function offerLoad(load: Load, signal: AbortSignal): Promise<Sample> {
  const { rate, seconds } = load;
  const agent = new Agent({ keepAlive: true, maxSockets: mostConnections });
  const latencies = createHistogram();
  const lateness = createHistogram();
  const total = Math.max(1, Math.round(rate * seconds));
  const underWay: Promise<void>[] = [];
  let failed = 0;
  const start = performance.now();

  async function send(due: number) {
    const isAnswered = await request(load, agent, due);
    if (isAnswered) latencies.record(Math.max(1, Math.round((performance.now() - due) * 1000)));
    else failed += 1;
  }

  try {
    while (underWay.length < total) {
      const now = performance.now();
      for (let due = dueAt(underWay.length); due <= now && underWay.length < total; ) {
        lateness.record(Math.max(1, Math.round((performance.now() - due) * 1000)));
        underWay.push(send(due));
        due = dueAt(underWay.length);
      }
      await pause(Math.max(0, dueAt(underWay.length) - performance.now()), undefined, { signal });
    }
    await Promise.all(underWay);
  } finally {
    agent.destroy();
  }
  const elapsedSeconds = Math.max(seconds, (performance.now() - start) / 1000);
  const late = (percentile: number) => lateness.percentile(percentile) / 1000;
  const ms = (percentile: number) =>
    latencies.count === 0 ? 0 : latencies.percentile(percentile) / 1000;
  return {
    rate,
    achieved: (total - failed) / elapsedSeconds,
    sent: total,
    failed,
    latencyMs: { p10: ms(10), p50: ms(50), p90: ms(90), p99: ms(99), max: ms(100) },
    lateMs: { p10: late(10), p50: late(50), p99: late(99) },
  };

  function dueAt(index: number): number {
    return start + (index / rate) * 1000;
  }
}

/** Whether it was answered with 200 in time. */
function request({ url, timeoutMs }: Load, agent: Agent, due: number): Promise<boolean> {
  const signal = AbortSignal.timeout(Math.max(1, Math.ceil(due + timeoutMs - performance.now())));
  return new Promise((resolve) => {
    const sent = get(url, { agent, signal }, (response) => {
      response.on('error', () => resolve(false));
      response.on('end', () => resolve(response.statusCode === 200));
      response.resume();
    });
    sent.on('error', () => resolve(false));
  });
}
