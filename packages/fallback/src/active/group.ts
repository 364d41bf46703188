/** Statements of jumphosts at the same cable, by link-local multicast (`@skolo/rack/jumphost` has the datagrams). */
import { createSocket, type Socket } from 'node:dgram';
import { parseJson } from '@skolo/base';
import {
  isSigned,
  type Statement,
  StatementMessage,
  statementGroup,
  statementPort,
} from '@skolo/rack/jumphost';
import { type ActiveOptions, isHigher, type Own } from './files.ts';

interface Group {
  /** Sends our statement, and asks for those of others. Where that does not work yet, the next one may. */
  say(ask: boolean): void;
  /** Fulfilled with a valid statement that retires this computer. */
  higher: Promise<Statement>;
  close(): void;
}

const mostBytes = 1024;
/** Anybody at the cable may send; so many are read in a second, which costs a few percent of a core at most. */
const mostASecond = 200;
const answersASecond = 5;

/** Joins the group, now or as soon as the interface has a link-local address. Answers questions of other jumphosts. */
export function joinGroup({ rack, device }: ActiveOptions, own: Own): Group {
  const found = Promise.withResolvers<Statement>();
  let socket: Socket | undefined;
  let isMember = false;
  let budget = { second: 0, read: 0, answered: 0 };

  function send(ask: boolean): void {
    const { statement } = own;
    const message = { skolo: 'jumphost/1', ask, rack, ...(statement && { statement }) };
    socket?.send(JSON.stringify(message), statementPort, statementGroup, () => undefined);
  }

  function receive(bytes: Buffer, from: string): void {
    const second = Math.floor(performance.now() / 1000);
    if (budget.second !== second) budget = { second, read: 0, answered: 0 };
    budget.read += 1;
    const isRead = from.startsWith('fe80:') && bytes.length <= mostBytes;
    if (!isRead || budget.read > mostASecond) return;
    const { data } = StatementMessage.safeParse(parseJson(bytes.toString()));
    if (data?.rack !== rack) return;
    const { ask, statement } = data;
    if (statement !== undefined && isBelieved(statement)) found.resolve(statement);
    if (!ask || own.statement === undefined || statement?.machine === own.machine) return;
    budget.answered += 1;
    if (budget.answered <= answersASecond) send(false);
  }

  function isBelieved(statement: Statement): boolean {
    const { key } = own;
    const isOurs = statement.rack === rack && key !== undefined;
    return isOurs && isHigher(statement, own) && isSigned(statement, key);
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
