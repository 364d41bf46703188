/**
 * Alerts that alternately fire and are resolved, each change with its number, posted until they are accepted; and a check that all of them
 * have arrived in order.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Arrived, arrivedAs } from './lab.ts';

/** Per alert: its name, and the number of its last change; odd: it fires. */
export interface Flipping {
  name: string;
  changes: number;
}

type FlipEndpoint = 'v2' | 'webhook';

/** What Prometheus posts for the last change of each. */
export function posted(flipping: readonly Flipping[], now: number, bytes = 600) {
  const time = new Date(now).toISOString();
  return flipping.map(({ name, changes }) => ({
    labels: { alertname: 'Flip', name },
    annotations: { n: String(changes), text: 'x'.repeat(bytes) },
    ...(isFiring(changes) ? { startsAt: time, endsAt: far } : { endsAt: time }),
  }));
}

/** What Alertmanager posts. */
function hooked(flipping: readonly Flipping[], now: number) {
  const startsAt = new Date(now).toISOString();
  const alerts = posted(flipping, now).map((alert, i) => {
    const isOn = isFiring(flipping[i]?.changes ?? 0);
    const status = isOn ? 'firing' : 'resolved';
    return { ...alert, status, startsAt, endsAt: isOn ? never : startsAt };
  });
  return { version: '4', groupKey: 'flips', receiver: 'skolo', alerts };
}

function isFiring(changes: number): boolean {
  return changes % 2 === 1;
}

const paths = { v2: '/api/v2/alerts', webhook: '/webhook' };
const far = '2099-01-01T00:00:00Z';
/** Alertmanager's notation for a missing end. */
const never = '0001-01-01T00:00:00Z';

/**
 * Posts it until it is accepted, by whichever process is running.
 *
 * @returns the status of each answer
 */
export async function postUntilAccepted(
  service: () => Promise<{ url: string }>,
  endpoint: FlipEndpoint,
  flipping: readonly Flipping[],
): Promise<number[]> {
  const message = (endpoint === 'v2' ? posted : hooked)(flipping, Date.now());
  const body = JSON.stringify(message);
  for (const statuses: number[] = []; ; ) {
    const { url } = await service();
    const response = await fetch(`${url}${paths[endpoint]}`, { method: 'POST', body }).catch(
      () => undefined,
    );
    await response?.text().catch(() => undefined);
    if (response !== undefined) statuses.push(response.status);
    if (response?.status === 200) return statuses;
    // As every sender does; a killed process is followed by the next one.
    await sleep(20);
  }
}

type Published = Parameters<typeof arrivedAs>[0];

/**
 * Errors in what has arrived; ideally none. Repeats are none if their `id` is the same, nor is the order of different alerts:
 * docs/reference/alert-messages.md.
 */
export function problemsOf(
  messages: readonly { attributes: Record<string, string>; data: Uint8Array }[],
  flipping: readonly Flipping[],
): string[] {
  const problems: string[] = [];
  const last = new Map<string, number>(flipping.map(({ name }) => [name, 0]));
  const seen = new Set<string>();
  for (const { attributes, data } of messages) {
    const { kind, id = '', status } = attributes;
    if (kind === 'heartbeat' || kind === 'notice' || seen.has(id)) continue;
    seen.add(id);
    const { name = '', n = '' } = JSON.parse(Buffer.from(data).toString());
    const before = last.get(name) ?? Number.NaN;
    const expected = kind === 'refresh' ? before : before + 1;
    if (Number(n) !== expected) problems.push(`${name}: ${kind} ${n} where ${expected} should be`);
    if (status !== (isFiring(Number(n)) ? 'firing' : 'resolved'))
      problems.push(`${name}: ${n} is ${status}`);
    last.set(name, Number(n));
  }
  for (const { name, changes } of flipping) {
    if (last.get(name) !== changes)
      problems.push(`${name}: ${last.get(name)} of ${changes} have arrived`);
  }
  return problems;
}

export function noticesOf(published: readonly Published[]): Arrived[] {
  return published.map(arrivedAs).filter(({ kind }) => kind === 'notice');
}
