/** Exchanges statements with jumphosts at the same cable, by link-local multicast (`@skolo/rack/jumphost` has the datagrams). */
import { createSocket, type Socket } from 'node:dgram';
import { parseJson } from '@skolo/base';
import {
  isSigned,
  type Statement,
  StatementMessage,
  statementGroup,
  statementPort,
} from '@skolo/rack/jumphost';
import type { ActiveOptions, Own } from './files.ts';
import { isHigher } from './retired.ts';

interface Group {
  /** Sends our statement, and asks for those of others. Where that does not work yet, the next one may. */
  say(ask: boolean): void;
  /** Fulfilled with a valid statement that retires this computer. */
  higher: Promise<Statement>;
  close(): void;
}

const mostBytes = 1024;
/**
 * Signatures that are checked for each source: one per millisecond, and at most ten at once. All else is cheap, so junk does not hide a
 * valid statement. A flood that fakes the address of a jumphost hides some of its statements, but not all.
 */
const checksAtOnce = 10;
const mostSources = 1000;
const answersASecond = 5;

/** Joins the group, now or as soon as the interface has a link-local address. Answers questions of other jumphosts. */
export function joinGroup({ rack, device }: ActiveOptions, own: Own): Group {
  const found = Promise.withResolvers<Statement>();
  let socket: Socket | undefined;
  let isMember = false;
  let answers = { second: 0, count: 0 };
  const checks = new Map<string, { left: number; at: number }>();

  function send(ask: boolean): void {
    const { statement } = own;
    const message = { skolo: 'jumphost/1', ask, rack, ...(statement && { statement }) };
    socket?.send(JSON.stringify(message), statementPort, statementGroup, () => undefined);
  }

  function receive(bytes: Buffer, from: string): void {
    if (!from.startsWith('fe80:') || bytes.length > mostBytes || !bytes.includes(rack)) return;
    const { data } = StatementMessage.safeParse(parseJson(bytes.toString()));
    if (data?.rack !== rack) return;
    const { ask, statement } = data;
    if (statement !== undefined && isBelieved(statement, from)) found.resolve(statement);
    if (!ask || own.statement === undefined || statement?.machine === own.machine) return;
    const second = Math.floor(performance.now() / 1000);
    answers = { second, count: answers.second === second ? answers.count + 1 : 1 };
    if (answers.count <= answersASecond) send(false);
  }

  function isBelieved(statement: Statement, from: string): boolean {
    const { key } = own;
    if (statement.rack !== rack || key === undefined || !isHigher(statement, own)) return false;
    const now = performance.now();
    const { left, at } = checks.get(from) ?? { left: checksAtOnce, at: now };
    const may = Math.min(checksAtOnce, left + now - at);
    if (may < 1) return false;
    if (checks.size > mostSources) checks.clear();
    checks.set(from, { left: may - 1, at: now });
    return isSigned(statement, key);
  }

  function open(): void {
    const made = createSocket({ type: 'udp6', reuseAddr: true });
    socket = made;
    made.on('message', (bytes, { address }) => receive(bytes, address));
    made.on('listening', enter);
    // Another one is made when something is to be said.
    made.on('error', () => {
      made.close();
      socket = undefined;
      isMember = false;
    });
    made.bind(statementPort, '::');
  }

  function enter(): void {
    try {
      socket?.addMembership(statementGroup, `::%${device}`);
      socket?.setMulticastInterface(`::%${device}`);
      isMember = true;
    } catch {
      // The interface is not there, or has no IPv6 yet.
    }
  }

  open();
  return {
    say(ask) {
      if (socket === undefined) open();
      else if (isMember) send(ask);
      else enter();
    },
    higher: found.promise,
    close: () => socket?.close(),
  };
}
