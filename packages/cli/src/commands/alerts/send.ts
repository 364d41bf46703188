import { Buffer } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import { Problem, whyFetchFailed } from '@skolo/api';
import { anotherRack, rackHeader } from '@skolo/api/rack-header';
import { parseJson, pause } from '@skolo/base';
import { InvalidArgumentError } from 'commander';
import { timeOption } from '../../arguments.ts';
import type { SkoloCommand } from '../../command.ts';
import { CliError, exitCodes } from '../../errors.ts';
import { type Io, printJson } from '../../io.ts';
import { alertToPubsub } from '../../reach/service-client.ts';
import { untilStopped } from '../../until-stopped.ts';
import { rackToReach } from '../../workstation/rack-file.ts';
import type { AlertStatus, Delivery } from './delivery.ts';
import { type PubSubOptions, sourceOf, withSubscription } from './pubsub-options.ts';

interface Options extends PubSubOptions {
  alertname: string;
  label?: Record<string, string>;
  severity: string;
  resolveAfter: number;
  within: number;
  /** Commander's name for the option that `--no-subscribe` negates. */
  subscribe: boolean;
  json?: true;
}

/** `skolo alerts send`: sends a test alert and measures its delivery. */
export function define(command: SkoloCommand): void {
  command
    .description(
      "Sends a test alert to the rack's alert-to-pubsub, waits until it arrives at Pub/Sub, and prints how long delivery took. Then it resolves the alert and measures again. If a message does not arrive in time, the command shows where it is queued and exits with code 1.",
    )
    .summary('send a test alert and measure its delivery')
    .option('--alertname <name>', 'alert name', 'SkoloTest')
    .option('--label <name=value>', 'additional label; repeatable', label)
    .option('--severity <severity>', 'alert severity', 'info')
    .addOption(
      timeOption('--resolve-after <time>', 'how long the alert fires after it has arrived', '0s'),
    )
    .addOption(timeOption('--within <time>', 'delivery deadline', '30s'))
    .option('--no-subscribe', 'do not read Pub/Sub; only wait until the service has sent the alert')
    .option('--json', 'print JSON');
  withSubscription(command).example('skolo alerts send --rack racks/rack4/rack.yaml');

  command.action((options: Options) => sendTest(command, options));
}

function label(text: string, previous: Record<string, string> = {}): Record<string, string> {
  const [, name, value] = /^([^=]+)=(.+)$/s.exec(text) ?? [];
  if (name !== undefined && value !== undefined) return { ...previous, [name]: value };
  throw new InvalidArgumentError('expected a name and a value, such as team=lab');
}

/** @throws CliError It was not accepted, or did not arrive. */
async function sendTest(command: SkoloCommand, options: Options): Promise<void> {
  const { io } = command;
  const { testLabel } = await import('@skolo/alerts');
  const { pubSubDelivery, sinkDelivery } = await import('./delivery.ts');
  const service = alertToPubsub(command);
  const { baseUrl, rack } = await service.open();
  await mustBeRack(baseUrl, rack);
  const post = await poster(command, baseUrl);
  const id = randomBytes(6).toString('hex');
  using stop = untilStopped(io);
  const deps = { service, withinMs: options.within, signal: stop.signal };
  const delivery = options.subscribe
    ? pubSubDelivery(await sourceOf(command, options), { label: testLabel, id }, deps)
    : sinkDelivery(deps);
  const { alertname, severity, label } = options;
  const labels = { ...label, alertname, severity, [testLabel]: id };
  try {
    await delivery.ready();
    const delays = await fireAndResolve(io, options, {
      labels,
      post,
      delivery,
      signal: stop.signal,
    });
    if (options.json) printJson(io, { labels, ...delays });
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    io.exitCode = exitCodes.interrupted;
  } finally {
    await delivery.end();
  }
}

interface TestAlert {
  labels: Record<string, string>;
  post: Post;
  delivery: Delivery;
  signal: AbortSignal;
}

/** Resolves the alert even if it did not arrive, so that it does not stay in the list. */
async function fireAndResolve(
  io: Io,
  { within, resolveAfter, json }: Options,
  { labels, post, delivery, signal }: TestAlert,
): Promise<Record<string, object>> {
  const startsAt = new Date().toISOString();
  const delays: Record<string, object> = {};
  async function send(status: AlertStatus): Promise<void> {
    const now = Date.now();
    // The time at which the alert ends if this process dies.
    const endsAt = status === 'resolved' ? now : now + within + resolveAfter + 60_000;
    await post({
      labels,
      annotations: { summary: 'a test of alert delivery; no action is needed' },
      startsAt,
      endsAt: new Date(endsAt).toISOString(),
    });
  }
  async function step(status: AlertStatus): Promise<void> {
    const began = performance.now();
    await send(status);
    const acceptedAt = performance.now();
    const acceptedMs = Math.round(acceptedAt - began);
    await delivery.arrived(status, acceptedAt);
    const arrivedMs = Math.round(performance.now() - began);
    delays[status] = { acceptedMs, [`${delivery.verb}Ms`]: arrivedMs };
    const line = `${status.padEnd(8)}  accepted after ${acceptedMs} ms, ${delivery.verb} after ${arrivedMs} ms`;
    if (!json) io.out(line);
  }
  try {
    await step('firing');
    await pause(resolveAfter, signal);
  } catch (error) {
    await send('resolved').catch(() => undefined);
    throw error;
  }
  await step('resolved');
  return delays;
}

/** @throws CliError It was not accepted. */
type Post = (alert: object) => Promise<void>;

const answerWithinMs = 30_000;
const longestReason = 300;

/** Sends alerts as Prometheus does, with the credentials in rack.yaml. With `--url`, sends no credentials. */
async function poster(command: SkoloCommand, baseUrl: string): Promise<Post> {
  const authorization = command.globals().url === undefined ? await signIn(command) : undefined;
  const url = `${baseUrl.replace(/\/$/, '')}/api/v2/alerts`;
  const headers = {
    'content-type': 'application/json',
    ...(authorization !== undefined && { authorization }),
  };
  return async (alert) => {
    const body = JSON.stringify([alert]);
    const signal = AbortSignal.timeout(answerWithinMs);
    let answer: Response;
    try {
      answer = await fetch(url, { method: 'POST', headers, body, signal });
    } catch (error) {
      const isLate = error instanceof Error && error.name === 'TimeoutError';
      const why = isLate ? `no response within ${answerWithinMs / 1000} s` : whyFetchFailed(error);
      throw new CliError(`POST ${url}: not accepted: ${why}`, undefined, { cause: error });
    }
    const text = await answer.text();
    if (answer.ok) return;
    const why = whyOf(text) || answer.statusText;
    throw new CliError(`POST ${url}: not accepted (${answer.status}): ${why}`);
  };
}

/** Alertmanager's endpoints do not check the rack, so this asks another endpoint first. */
async function mustBeRack(baseUrl: string, rack: string | undefined): Promise<void> {
  const url = `${baseUrl.replace(/\/$/, '')}/openapi.json`;
  const signal = AbortSignal.timeout(answerWithinMs);
  // If it does not respond, sending the alert reports that.
  const answer = await fetch(url, { signal }).catch(() => undefined);
  await answer?.body?.cancel();
  const why = anotherRack(answer?.headers.get(rackHeader), rack);
  if (why !== undefined) throw new CliError(`${baseUrl}: ${why}`);
}

async function signIn(command: SkoloCommand): Promise<string | undefined> {
  const { readSecret } = await import('@skolo/base/secrets');
  const rack = await rackToReach(command);
  const { bearer, username, password } = rack.services['alert-to-pubsub'].auth;
  if (bearer !== undefined) return `Bearer ${(await readSecret(rack, bearer)).reveal().trim()}`;
  if (username === undefined || password === undefined) return undefined;
  const secret = (await readSecret(rack, password)).reveal().trimEnd();
  return `Basic ${Buffer.from(`${username}:${secret}`).toString('base64')}`;
}

/** The detail of a problem document, or the JSON string that Alertmanager sends. */
function whyOf(text: string): string {
  const body = parseJson(text);
  if (typeof body === 'string') return body;
  return Problem.safeParse(body).data?.detail ?? text.trim().slice(0, longestReason);
}
