import { Buffer } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { whyUnreachable } from '@skolo/api';
import { InvalidArgumentError, Option } from 'commander';
import { shortSpan, shortSpanOrNone } from '../../arguments.ts';
import type { SkoloCommand } from '../../command.ts';
import { CliError, exitCodes } from '../../errors.ts';
import { type Io, printJson } from '../../io.ts';
import { loadRack } from '../../rack-file.ts';
import { alertToPubsub } from '../../service-client.ts';
import { untilStopped } from '../../until-stopped.ts';
import { type PubSubOptions, sourceOf, withSubscription } from './pubsub-options.ts';

interface Options extends PubSubOptions {
  alertname: string;
  label?: Record<string, string>;
  severity: string;
  resolveAfter: number;
  within: number;
  /** Commander's name for what `--no-subscribe` turns off. */
  subscribe: boolean;
  json?: true;
}

/** `skolo alerts send`: one alert from end to end, and how long it took. */
export function define(command: SkoloCommand, io: Io): void {
  command
    .description(
      'Hands one alert to the service of the rack, as Prometheus does, waits until it has arrived at Pub/Sub, and says how long that took; then the same with its end. Ends with 1 when it does not arrive in time, and says where it has got to.',
    )
    .summary('one alert from end to end, and how long it takes')
    .option('--alertname <name>', 'its name', 'SkoloTest')
    .addOption(
      new Option('--label <name=value>', 'another label; may be given several times').argParser(
        label,
      ),
    )
    .option('--severity <severity>', 'its severity', 'info')
    .addOption(
      new Option('--resolve-after <time>', 'how long it fires, once it has arrived')
        .argParser(shortSpanOrNone)
        .default(0, '0s'),
    )
    .addOption(
      new Option('--within <time>', 'how long it may take')
        .argParser(shortSpan)
        .default(30_000, '30s'),
    )
    .option('--no-subscribe', 'do not look at Pub/Sub; wait until the service has sent it')
    .option('--json', 'print JSON');
  withSubscription(command)
    .uses('rack', 'url', 'tokenFile')
    .example('skolo alerts send --rack racks/rack4/rack.yaml');

  command.action((options: Options) => sendTest(io, command, options));
}

function label(text: string, former: Record<string, string> = {}): Record<string, string> {
  const [, name, value] = /^([^=]+)=(.+)$/s.exec(text) ?? [];
  if (name !== undefined && value !== undefined) return { ...former, [name]: value };
  throw new InvalidArgumentError('Give a name and a value, such as team=lab.');
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
async function sendTest(io: Io, command: SkoloCommand, options: Options): Promise<void> {
  const { testLabel } = await import('@skolo/alerts');
  const { Arrivals, Sending } = await import('./arrivals.ts');
  const service = await alertToPubsub(command);
  const post = await poster(command, service.baseUrl);
  const id = randomBytes(6).toString('hex');
  const stop = untilStopped(io);
  const deps = { service, withinMs: options.within, signal: stop.signal };
  const way: Way = options.subscribe
    ? new Arrivals({
        ...deps,
        source: await sourceOf(command, options),
        test: { label: testLabel, id },
      })
    : new Sending(deps);
  const { alertname, severity, label } = options;
  const labels = { ...label, alertname, severity, [testLabel]: id };
  try {
    await way.ready();
    const delays = await fireAndResolve(io, options, { labels, post, way, signal: stop.signal });
    if (options.json) printJson(io, { labels, ...delays });
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    io.exitCode = exitCodes.interrupted;
  } finally {
    stop.end();
    await way.end();
  }
}

interface TestAlert {
  labels: Record<string, string>;
  post: Post;
  way: Way;
  signal: AbortSignal;
}

/** Fires, and is resolved also when it did not arrive: it must not stand in the list for ever. */
async function fireAndResolve(
  io: Io,
  { within, resolveAfter, json }: Options,
  { labels, post, way, signal }: TestAlert,
): Promise<Record<string, object>> {
  const startsAt = new Date().toISOString();
  const delays: Record<string, object> = {};
  async function send(status: AlertStatus): Promise<void> {
    const now = Date.now();
    // Should nobody be left to say that it is over, it is over then.
    const endsAt = status === 'resolved' ? now : now + within + resolveAfter + 60_000;
    await post({
      labels,
      annotations: { summary: 'a test of the way of an alert; nothing is wrong' },
      startsAt,
      endsAt: new Date(endsAt).toISOString(),
    });
  }
  async function step(status: AlertStatus): Promise<void> {
    const began = performance.now();
    await send(status);
    const acceptedAt = performance.now();
    const acceptedMs = Math.round(acceptedAt - began);
    await way.arrived(status, acceptedAt);
    const arrivedMs = Math.round(performance.now() - began);
    delays[status] = { acceptedMs, [`${way.word}Ms`]: arrivedMs };
    const line = `${status.padEnd(8)}  accepted after ${acceptedMs} ms, ${way.word} after ${arrivedMs} ms`;
    if (!json) io.out(line);
  }
  try {
    await step('firing');
    await setTimeout(resolveAfter, undefined, { signal });
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

/** Sends alerts as Prometheus does, signed in as rack.yaml says. With `--url` nobody knows how, and no sign-in is sent. */
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
      const why = isLate ? `no answer within ${answerWithinMs / 1000} s` : whyUnreachable(error);
      throw new CliError(`POST ${url}: not accepted: ${why}`, undefined, { cause: error });
    }
    const text = await answer.text();
    if (answer.ok) return;
    const why = whyOf(text) || answer.statusText;
    throw new CliError(`POST ${url}: not accepted (${answer.status}): ${why}`);
  };
}

async function signIn(command: SkoloCommand): Promise<string | undefined> {
  const { readSecret } = await import('@skolo/secrets');
  const rack = await loadRack(command.globals());
  const { bearer, username, password } = rack.services['alert-to-pubsub'].auth;
  if (bearer !== undefined) return `Bearer ${(await readSecret(rack, bearer)).reveal().trim()}`;
  if (username === undefined || password === undefined) return undefined;
  const secret = (await readSecret(rack, password)).reveal().trimEnd();
  return `Basic ${Buffer.from(`${username}:${secret}`).toString('base64')}`;
}

/** Of a problem its detail; of Alertmanager's kind a JSON string. */
function whyOf(text: string): string {
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body === 'string') return body;
    if (typeof body === 'object' && body !== null && 'detail' in body) return String(body.detail);
  } catch {
    // Then as it is.
  }
  return text.trim().slice(0, longestReason);
}
