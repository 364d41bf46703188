/**
 * The agent on a machine: the part of packages/api/src/swarming-client.ts that others ask for. Only the JSON is the
 * same, on purpose: this is written without that package.
 */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import type { OutletBoard } from '../equipment/device.ts';
import { AgentProblem, type Care, type Reason, type Repair, screenOf, stepsOf } from './care.ts';
import { acceptSignature, signedNonce } from './signature.ts';
import { isPresent, type Phone, type UsbHub } from './usb.ts';

export interface Task {
  running: boolean;
  id?: string;
  /** RFC 3339. */
  since?: string;
}

/** What an agent reports besides its task and which phones are there. */
export interface AgentReport {
  reasons: Reason[];
  /** Readings of each phone, by its name. */
  phones: Record<
    string,
    { batteryPercent: number; temperaturesCelsius: Record<string, number>; charging?: boolean }
  >;
  repairs: Repair[];
}

/** What people order for the machine. */
const Orders = z.strictObject({
  orders: z.array(
    z.looseObject({
      kind: z.enum(['maintenance', 'quarantine']),
      by: z.string(),
      reason: z.string(),
      since: z.string(),
    }),
  ),
});
export type Orders = z.output<typeof Orders>['orders'];

interface AgentSide {
  machine: string;
  bootId: () => string;
  task: () => Task;
  /** Undefined: it has none to report, as an agent that has just started. */
  report: () => AgentReport | undefined;
  orders: () => Orders;
  setOrders: (orders: Orders) => void;
  care: Care;
  /** Looks at what has changed. */
  look: () => void;
  /** Counts what has changed but readings. */
  revision: () => number;
  /** Fulfilled with the next change, or when the time is over. */
  changed: (seconds: number) => Promise<void>;
  phones: readonly Phone[];
  /** Milliseconds since power came to a phone. */
  connectedMs: (phone: Phone) => number;
  board: OutletBoard;
  /** Of whoever may do everything; undefined: everybody. */
  publicKey: string | undefined;
  /** Challenges that nobody has used. */
  challenges: Set<string>;
  /** Whether a port that is told to turn does so. */
  hubs: readonly UsbHub[];
  hubObeys: () => boolean;
  reboot: () => void;
  log: (text: string) => void;
}

const startedAt = new Date().toISOString();
const Why = z.strictObject({ why: z.string().min(1).max(1000) });
const SetPort = Why.extend({ on: z.boolean(), alone: z.boolean().default(false) });

/** Answers one request. Never throws. */
export async function answerAgent(
  request: IncomingMessage,
  response: ServerResponse,
  side: AgentSide,
): Promise<void> {
  const challenge = randomUUID();
  side.challenges.add(challenge);
  response.setHeader('accept-signature', acceptSignature(challenge));
  try {
    const { status, body, png } = await route(request, side);
    if (png === undefined) say(response, status, 'application/json', body);
    else {
      response.setHeader('last-modified', new Date().toUTCString());
      say(response, status, 'image/png', png);
    }
  } catch (error) {
    const status = error instanceof AgentProblem ? error.status : 400;
    const detail =
      error instanceof AgentProblem ? error.message : 'the body is not as it should be';
    const title = `Problem ${status}`;
    say(response, status, 'application/problem+json', { title, status, detail });
  }
}

async function route(
  request: IncomingMessage,
  side: AgentSide,
): Promise<{ status: number; body?: unknown; png?: Uint8Array }> {
  const { pathname: path, searchParams: query } = new URL(request.url ?? '/', 'http://agent');
  const body = await text(request);
  // Everybody may look, as in the demo's `anonymousRead`.
  const isRead = ['/v1/status', '/v1/log'].includes(path) && request.method === 'GET';
  const isAdmitted = isRead || isSigned(request, body, side);
  if (isAdmitted) side.log(`${request.method} ${path}`);
  if (path === '/v1/status' && request.method === 'GET') {
    if (query.get('after') === revisionOf(side)) {
      await side.changed(Number(query.get('waitSeconds') ?? 0));
    }
    return { status: 200, body: status(side) };
  }
  if (isRead) return { status: 200, body: side.care.lastLines(query) };
  const [, hub, port] = /^\/v1\/usb\/([^/]+)\/(\d+)$/.exec(path) ?? [];
  const isReboot = path === '/v1/reboot' && request.method === 'POST';
  const isPort = hub !== undefined && ['GET', 'PUT'].includes(request.method ?? '');
  const isOrders = path === '/v1/orders' && request.method === 'PUT';
  const isClear = path === '/v1/quarantine/clear' && request.method === 'POST';
  const isRepair = path === '/v1/repair' && request.method === 'POST';
  const isScreen = path === '/v1/screen' && request.method === 'POST';
  if (!isReboot && !isPort && !isOrders && !isClear && !isRepair && !isScreen) {
    throw new AgentProblem(404, `no such path: ${path}; check the path`);
  }
  if (!isAdmitted) throw new AgentProblem(401, 'a signature for this machine is needed');
  if (isScreen) return { status: 200, png: screenOf(side, body) };
  if (isRepair) {
    side.care.repair(side, body);
    side.look();
    return { status: 202 };
  }
  if (isClear) {
    side.care.clear(body);
    side.look();
    return { status: 200, body: health(side) };
  }
  if (isOrders) {
    side.setOrders(Orders.parse(JSON.parse(body)).orders);
    return { status: 200, body: health(side) };
  }
  if (isReboot) {
    Why.parse(JSON.parse(body));
    side.reboot();
    return { status: 202 };
  }
  const outlet = `usb/${hub}.${Number(port)}`;
  if (!side.board.has(outlet)) throw new AgentProblem(404, `there is no port ${outlet}`);
  if (request.method === 'PUT') {
    const { on, alone } = SetPort.parse(JSON.parse(body));
    // As the real one: all ports that have power together.
    const { together } = side.hubs.find(({ location }) => location === hub) ?? {};
    const isOne = !alone && together?.ports.includes(Number(port));
    for (const each of (isOne && together?.ports) || [Number(port)]) {
      if (side.hubObeys()) side.board.set(`usb/${hub}.${each}`, on);
    }
  }
  return { status: 200, body: { hub, port: Number(port), on: side.board.isOn(outlet) } };
}

function isSigned(request: IncomingMessage, body: string, side: AgentSide): boolean {
  const { publicKey, machine, challenges } = side;
  if (publicKey === undefined) return true;
  if (request.headers['x-skolo-machine'] !== machine) return false;
  return challenges.delete(signedNonce(request, body, publicKey) ?? '');
}

function status(side: AgentSide) {
  const { machine, bootId, task, phones, board, hubs, connectedMs } = side;
  const report = side.report();
  return {
    machine,
    revision: revisionOf(side),
    orders: side.orders(),
    bootId: bootId(),
    task: task(),
    devices: phones.map((phone) => ({
      name: phone.name,
      state: isPresent(phone, board, hubs) ? 'present' : 'missing',
      readAt: new Date().toISOString(),
      repairSteps: stepsOf(phone),
      ...(isPresent(phone, board, hubs) && {
        charging: true,
        connectedSeconds: connectedMs(phone) / 1000,
        ...report?.phones[phone.name],
      }),
    })),
    // As the real one, which always has a verdict.
    health: health(side),
    repairs: [...(report?.repairs ?? []), ...side.care.repairs].slice(-20),
  };
}

function revisionOf({ bootId, revision }: AgentSide): string {
  return `${bootId()}-${revision()}`;
}

/** The worst verdict of its own reasons and of the orders. */
function health(side: AgentSide) {
  const ordered = side.orders().map(
    ({ kind, by, reason, since }): Reason => ({
      verdict: kind === 'maintenance' ? 'maintenance' : 'quarantined',
      code: kind === 'maintenance' ? 'ordered-maintenance' : 'ordered-quarantine',
      text: `${by}: ${reason}`,
      since,
    }),
  );
  const reasons = [
    ...ordered,
    ...(side.report()?.reasons ?? []).map((reason) => side.care.judge(reason)),
  ];
  const worst = (['quarantined', 'maintenance', 'recovering'] as const).find((verdict) =>
    reasons.some((reason) => reason.verdict === verdict),
  );
  const times = reasons.map(({ since }) => since).sort();
  return { verdict: worst ?? 'ok', since: times[0] ?? side.task().since ?? startedAt, reasons };
}

function say(response: ServerResponse, status: number, type: string, body: unknown): void {
  const text = body instanceof Uint8Array ? body : body === undefined ? '' : JSON.stringify(body);
  response.writeHead(status, {
    ...(text.length > 0 && { 'content-type': type }),
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
}
