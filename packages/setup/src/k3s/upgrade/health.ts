/** Decides whether an upgrade of k3s has made a rack worse, and how long to wait for its health. */
import { errorText, pause } from '@skolo/base';
import type { Host } from '@skolo/setup/engine';
import { z } from 'zod';
import { readNodes } from '../cluster/nodes.ts';
import { type AskedService, askService } from '../cluster/services.ts';

/** Another source of health data, such as Prometheus. Its data is kept as text. */
export interface OtherHealth {
  read(): Promise<string>;
  /** A text for each deterioration. */
  worsened(before: string): Promise<string[]>;
}

type AskedHost = Pick<Host, 'run' | 'need'>;

export interface HealthDeps {
  services: readonly AskedService[];
  /** Absent: it cannot be queried. */
  other?: OtherHealth;
  times: GateTimes;
  report(text: string): void;
  signal: AbortSignal;
}

/** Milliseconds. */
interface GateTimes {
  /** Everything must stay healthy for this long. */
  soakMs: number;
  /** Time limit for becoming healthy. */
  wellMs: number;
  pollMs: number;
}

/** What was healthy, as JSON for comparisons by later runs. */
export const Health = z.object({
  nodes: z.array(z.string()),
  services: z.array(z.string()),
  other: z.string().exactOptional(),
});
export type Health = z.infer<typeof Health>;

/** @throws ComputerError The API server does not respond. */
export async function readHealth(host: AskedHost, deps: HealthDeps): Promise<Health> {
  const { other } = deps;
  const text = await other?.read().catch((error: unknown) => {
    deps.signal.throwIfAborted();
    deps.report(`alerts and machine health cannot be compared: ${errorText(error)}`);
    return undefined;
  });
  const [nodes, services] = await readWell(host, deps);
  return { nodes, services, ...(text !== undefined && { other: text }) };
}

async function readWell(host: AskedHost, { services }: HealthDeps): Promise<[string[], string[]]> {
  const nodes = (await readNodes(host)).filter(({ isReady }) => isReady);
  const answers = await Promise.all(services.map((each) => askService(host, each)));
  const well = services.filter((_, at) => answers[at]?.differs.length === 0);
  return [nodes.map(({ name }) => name), well.map(({ name }) => name)];
}

/**
 * Waits until everything that was healthy is healthy again, and has stayed so.
 *
 * @returns what is worse at the end; empty: nothing
 */
export async function untilAsWell(
  host: AskedHost,
  before: Health,
  deps: HealthDeps,
): Promise<string[]> {
  const { times, signal, report } = deps;
  const start = performance.now();
  let wellSince: number | undefined;
  let said = '';
  for (;;) {
    const worse = await worsened(host, before, deps).catch((error: unknown) => [errorText(error)]);
    signal.throwIfAborted();
    const now = performance.now();
    if (worse.length > 0) wellSince = undefined;
    else wellSince ??= now;
    if (wellSince !== undefined && now - wellSince >= times.soakMs) return [];
    if (wellSince === undefined && now - start > times.wellMs) return worse;
    const text =
      worse.join(', ') ||
      `the rack is as healthy as before; watching it for ${times.soakMs / 1000} s`;
    if (text !== said) report(text);
    said = text;
    await pause(times.pollMs, signal);
  }
}

async function worsened(host: AskedHost, before: Health, deps: HealthDeps): Promise<string[]> {
  const [nodes, services] = await readWell(host, deps);
  return [
    ...before.nodes
      .filter((name) => !nodes.includes(name))
      .map((name) => `node ${name} is no longer ready`),
    ...before.services
      .filter((name) => !services.includes(name))
      .map((name) => `${name} is no longer ready`),
    ...(before.other === undefined ? [] : ((await deps.other?.worsened(before.other)) ?? [])),
  ];
}
