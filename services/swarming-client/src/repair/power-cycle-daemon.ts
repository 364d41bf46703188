/**
 * Requests power cycles of its own devices from the power-cycle daemon, and decides when to ask again. The daemon identifies a machine
 * by its source address and its key. On a k3s node, connections to the daemon's port on the jumphost get another source address, so its
 * second port is tried first on a node.
 */
import { whyOlder } from '@skolo/api/calls';
import { errorText, oneLine, parseJson } from '@skolo/base';
import { Unreachable } from '@skolo/base/request';
import { servicePorts } from '@skolo/rack/light';
import { z } from 'zod';
import type { SendRequest } from '../http/signed-request.ts';
import type { StepResult } from './records.ts';

const ownPort = `${servicePorts['power-cycle-daemon'].port}`;

export class PowerCycleDaemon {
  private readonly known: () => string | undefined;
  private readonly port: number | undefined;
  private answered: string | undefined;

  /**
   * @param known its URL in rack.yaml
   * @param port the second one
   */
  constructor(known: () => string | undefined, port?: number) {
    this.known = known;
    this.port = port;
  }

  /** In the order of attempts. The second port belongs only to the daemon's usual address. */
  urls(): string[] {
    const url = this.known();
    if (url === undefined) return [];
    const other = new URL(url);
    if (this.port === undefined || other.port !== ownPort) return [url];
    other.port = `${this.port}`;
    return [other.href.replace(/\/+$/, ''), url];
  }

  /** The one that responded last; undefined: none is known. */
  url(): string | undefined {
    const urls = this.urls();
    return urls.find((url) => url === this.answered) ?? urls[0];
  }

  hasAnswered(url: string): void {
    this.answered = url;
  }
}

interface PowerCycleDeps {
  /** The daemon's address. */
  url: string;
  /** Signs it. */
  request: SendRequest;
  localAddress?: string | undefined;
}

const timeoutMs = 15_000;
/** If it is down, or names no time. */
const usualLaterSeconds = 60;
const route = { method: 'POST', path: '/v1/own-devices/power-cycles' } as const;
/** A day, even if a daemon asks for more. */
const mostLaterSeconds = 86_400;

const Accepted = z.object({ cycles: z.array(z.object({ id: z.string(), joined: z.boolean() })) });
const Problem = z.object({
  detail: z.string(),
  rejected: z.array(z.object({ detail: z.string() })).optional(),
});

/**
 * Requests a cycle of an own device: `POST /v1/own-devices/power-cycles`. A daemon that is down or fails has made no decision about the
 * device, so the step is postponed.
 */
export async function requestPowerCycle(
  device: string,
  reason: string,
  deps: PowerCycleDeps,
  signal: AbortSignal,
): Promise<StepResult> {
  try {
    return await ask(device, reason, deps, signal);
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof Unreachable)) throw error;
    const text = `the power-cycle daemon did not respond: ${oneLine(errorText(error), 300)}`;
    return { outcome: 'postponed', text, later: usualLaterSeconds };
  }
}

/** @throws Unreachable */
async function ask(
  device: string,
  reason: string,
  { url, request, localAddress }: PowerCycleDeps,
  signal: AbortSignal,
): Promise<StepResult> {
  const answer = await request(`${url.replace(/\/+$/, '')}${route.path}`, {
    method: route.method,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ devices: [device], reason: reason.slice(0, 1000) }),
    timeoutMs,
    localAddress,
    signal,
  });
  if (answer.status === 202) return { outcome: 'done', text: acceptedText(answer.text) };
  const why = `the power-cycle daemon: ${problemText(answer.text, answer.status)}`;
  if (answer.status === 429 || answer.status >= 500) {
    const later = laterSeconds(answer.headers['retry-after']);
    return { outcome: 'postponed', text: why, later };
  }
  return { outcome: answer.status >= 400 ? 'rejected' : 'failed', text: why };
}

function acceptedText(body: string): string {
  const cycle = Accepted.safeParse(parseJson(body)).data?.cycles[0];
  if (cycle === undefined) return 'the power-cycle daemon accepted the request';
  const how = cycle.joined ? 'is already cycling the device' : 'accepted the request';
  return `the power-cycle daemon ${how}: cycle ${oneLine(cycle.id, 300)}`;
}

function problemText(body: string, status: number): string {
  const problem = Problem.safeParse(parseJson(body)).data;
  const detail =
    whyOlder('it', route, { status, detail: problem?.detail }) ??
    problem?.rejected?.[0]?.detail ??
    problem?.detail ??
    'no reason given';
  return `${oneLine(detail, 300)} (${status})`;
}

/** RFC 9110, section 10.2.3: seconds, or a date, which is ignored because the clock may be wrong. */
function laterSeconds(header: string | undefined): number {
  if (header === undefined || !/^\d{1,6}$/.test(header)) return usualLaterSeconds;
  return Math.min(Number(header), mostLaterSeconds);
}
