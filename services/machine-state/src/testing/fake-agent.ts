/** An agent over a real socket: its status with the long poll, and people's orders. It can misbehave like a hostile one. */

import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import type { AgentStatus, HealthStatus, Order } from '@skolo/api';
import {
  challengeHeader,
  contentDigest,
  nonceOf,
  signatureInput,
  whyNotSigned,
} from '@skolo/api/signature';
import { agentPublicKey, newAgentKey, parseAgentPublicKey } from '@skolo/base/secrets';
import { listen } from '@skolo/base/testing';

/** Signs requests to all agents, in this rack. */
export const agentKey = newAgentKey();
export const rackName = 'rack4';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

export interface FakeAgent {
  url: string;
  status: AgentStatus;
  /** Method, path and query of each request that was admitted, or that has a scripted answer. */
  requests: string[];
  /** Bodies of ordered repair steps. */
  repairs: unknown[];
  /** Changes the status, and answers waiting requests. */
  set(change: Partial<AgentStatus>): void;
  /** Without a new revision, as for readings. */
  read(change: Partial<AgentStatus>): void;
  /** Another start: another revision, and no orders if it has lost its disk. */
  restart(change?: Partial<AgentStatus>): void;
  /** Answers like this from now on; undefined: like an agent. */
  answerAs(answer: Answer | undefined): void;
  close(): Promise<void>;
}

interface FakeAgentOptions {
  /** It accepts orders that are signed with this key; by default {@link agentKey}. */
  ordersBy?: typeof agentKey;
  status?: Partial<AgentStatus>;
}

export const okHealth: HealthStatus = {
  verdict: 'ok',
  since: '2026-11-20T10:00:00Z',
  reasons: [],
};

export async function startFakeAgent(
  machine: string,
  options: FakeAgentOptions = {},
): Promise<FakeAgent> {
  const agent = new Agent(machine, options);
  await agent.listen();
  return agent;
}

class Agent implements FakeAgent {
  url = '';
  status: AgentStatus;
  readonly requests: string[] = [];
  readonly repairs: unknown[] = [];
  private readonly machine: string;
  private readonly key: ReturnType<typeof parseAgentPublicKey>;
  private readonly server = createServer(
    (request, response) => void this.answer(request, response),
  );
  private readonly waiting = new Set<() => void>();
  private readonly challenges = new Set<string>();
  private start = 1;
  private revision = 1;
  private other: Answer | undefined;

  constructor(machine: string, { ordersBy = agentKey, status }: FakeAgentOptions) {
    this.machine = machine;
    this.key = parseAgentPublicKey(agentPublicKey(ordersBy));
    this.status = {
      machine,
      task: { running: false },
      devices: [],
      health: okHealth,
      orders: [],
      ...status,
    };
  }

  async listen(): Promise<void> {
    this.url = `http://127.0.0.1:${await listen(this.server)}`;
  }

  set(change: Partial<AgentStatus>): void {
    this.read(change);
    this.revision += 1;
    for (const end of [...this.waiting]) end();
  }

  read(change: Partial<AgentStatus>): void {
    this.status = { ...this.status, ...change };
  }

  restart(change: Partial<AgentStatus> = {}): void {
    this.start += 1;
    this.set(change);
  }

  answerAs(answer: Answer | undefined): void {
    this.other = answer;
    for (const end of [...this.waiting]) end();
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    if (this.server.listening) await new Promise((resolve) => this.server.close(resolve));
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '' } = request;
    const admitted = () => this.requests.push(`${method} ${url}`);
    const nonce = randomUUID();
    this.challenges.add(nonce);
    response.setHeader(challengeHeader, signatureInput(nonce));
    if (this.other !== undefined) {
      admitted();
      return this.other(request, response);
    }
    const { pathname, searchParams } = new URL(url, 'http://agent');
    if (pathname === '/v1/status') {
      admitted();
      const ms = Number(searchParams.get('waitSeconds') ?? 0) * 1000;
      if (searchParams.get('after') === this.newRevision()) await this.changed(ms, response);
      return send(response, 200, { ...this.status, revision: this.newRevision() });
    }
    const sent = await text(request);
    if (!this.isAllowed(request, sent)) return problem(response, 401, 'it is not signed');
    admitted();
    const body: { orders?: Order[] } = JSON.parse(sent || '{}');
    switch (`${method} ${pathname}`) {
      case 'PUT /v1/orders':
        this.setOrders(body.orders ?? []);
        return send(response, 200, this.status.health);
      case 'POST /v1/quarantine/clear':
        return send(response, 200, this.status.health);
      case 'POST /v1/repair':
      case 'POST /v1/reboot':
        if (this.status.task.running) return problem(response, 409, 'a task is running');
        if (pathname === '/v1/repair') this.repairs.push(body);
        response.writeHead(202).end();
        return;
      case 'POST /v1/screen':
        response.writeHead(200, { 'content-type': 'image/png' }).end('PNG');
        return;
      case 'GET /v1/log':
        return send(response, 200, { lines: [] });
      default:
        return problem(response, 404, 'no such path');
    }
  }

  private setOrders(orders: Order[]): void {
    const kinds = orders.map(({ kind }) => kind);
    const verdict = kinds.includes('quarantine')
      ? 'quarantined'
      : kinds.includes('maintenance')
        ? 'maintenance'
        : 'ok';
    const reasons = orders.map(({ kind, reason, since }) => ({
      verdict: kind === 'quarantine' ? ('quarantined' as const) : kind,
      code: 'order',
      text: reason,
      since,
    }));
    this.set({ orders, health: { verdict, since: new Date().toISOString(), reasons } });
  }

  private newRevision(): string {
    return `${this.start}-${this.revision}`;
  }

  private isAllowed(request: IncomingMessage, body: string): boolean {
    const nonce = nonceOf(request.headers['signature-input']?.toString()) ?? '';
    const whom = { rack: rackName, machine: this.machine, key: this.key };
    const isSigned = whyNotSigned(request, whom, nonce) === undefined;
    const isWhole = request.headers['content-digest'] === contentDigest(body);
    return isSigned && isWhole && this.challenges.delete(nonce);
  }

  private async changed(ms: number, response: ServerResponse): Promise<void> {
    await new Promise<void>((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.waiting.delete(end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      this.waiting.add(end);
      response.once('close', end);
    });
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function problem(response: ServerResponse, status: number, detail: string): void {
  const body = { type: 'about:blank', title: 'rejected', status, detail };
  response
    .writeHead(status, { 'content-type': 'application/problem+json' })
    .end(JSON.stringify(body));
}
