/**
 * The agent on a machine: the part of packages/api/src/swarming-client.ts that others ask for. Only the JSON is the
 * same, on purpose: this is written without that package.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { json } from 'node:stream/consumers';
import { z } from 'zod';
import type { OutletBoard } from '../equipment/device.ts';
import { isPresent, type Phone } from './usb.ts';

export interface Task {
  running: boolean;
  id?: string;
  /** RFC 3339. */
  since?: string;
}

export interface AgentSide {
  machine: string;
  bootId: () => string;
  task: () => Task;
  phones: readonly Phone[];
  board: OutletBoard;
  /** Undefined: everybody may do everything. */
  token: string | undefined;
  /** Whether a port that is told to turn does so. */
  hubObeys: () => boolean;
  reboot: () => void;
  log: (text: string) => void;
}

const Why = z.strictObject({ why: z.string().min(1).max(1000) });
const SetPort = Why.extend({ on: z.boolean() });

class Problem extends Error {
  readonly status: number;

  constructor(status: number, detail: string) {
    super(detail);
    this.status = status;
  }
}

/** Answers one request. Never throws. */
export async function answerAgent(
  request: IncomingMessage,
  response: ServerResponse,
  side: AgentSide,
): Promise<void> {
  try {
    const { status, body } = await route(request, side);
    say(response, status, 'application/json', body);
  } catch (error) {
    const status = error instanceof Problem ? error.status : 400;
    const detail = error instanceof Problem ? error.message : 'the body is not as it should be';
    const title = `Problem ${status}`;
    say(response, status, 'application/problem+json', { title, status, detail });
  }
}

async function route(
  request: IncomingMessage,
  side: AgentSide,
): Promise<{ status: number; body?: unknown }> {
  const path = new URL(request.url ?? '/', 'http://agent').pathname;
  side.log(`${request.method} ${path}`);
  if (path === '/v1/status' && request.method === 'GET') return { status: 200, body: status(side) };
  const [, hub, port] = /^\/v1\/usb\/([^/]+)\/(\d+)$/.exec(path) ?? [];
  const isReboot = path === '/v1/reboot' && request.method === 'POST';
  const isPort = hub !== undefined && ['GET', 'PUT'].includes(request.method ?? '');
  if (!isReboot && !isPort) throw new Problem(404, 'there is nothing of that name');
  if (side.token !== undefined && request.headers.authorization !== `Bearer ${side.token}`) {
    throw new Problem(401, 'a token of this machine is needed');
  }
  if (isReboot) {
    Why.parse(await json(request));
    side.reboot();
    return { status: 202 };
  }
  const outlet = `usb/${hub}.${Number(port)}`;
  if (!side.board.has(outlet)) throw new Problem(404, `there is no port ${outlet}`);
  if (request.method === 'PUT') {
    const { on } = SetPort.parse(await json(request));
    if (side.hubObeys()) side.board.set(outlet, on);
  }
  return { status: 200, body: { hub, port: Number(port), on: side.board.isOn(outlet) } };
}

function status({ machine, bootId, task, phones, board }: AgentSide) {
  return {
    machine,
    bootId: bootId(),
    task: task(),
    devices: phones.map((phone) => ({
      name: phone.name,
      state: isPresent(phone, board) ? 'present' : 'missing',
    })),
  };
}

function say(response: ServerResponse, status: number, type: string, body: unknown): void {
  const text = body === undefined ? '' : JSON.stringify(body);
  response.writeHead(status, {
    ...(text !== '' && { 'content-type': type }),
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
}
