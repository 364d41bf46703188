/**
 * A device that answers as a recording says, over ssh, telnet, HTTP or SNMP. It knows nothing about devices: a command gets the answer that
 * followed it in the recording, the next time the next one. Secrets and user names were not recorded, so any are right.
 */
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { Listener } from '../listener.ts';
import type { Account } from './cli/accounts.ts';
import { startShellServer } from './cli/shell-server.ts';
import { ownCertificate } from './http/own-certificate.ts';
import { readSnmprec, startSnmpRecording } from './snmp/recording.ts';

type Talk =
  | { kind: 'shell'; said: readonly Said[] }
  | { kind: 'exec'; sent: string; received: string; status: number }
  | HttpTalk
  | { kind: 'snmp'; received: string };

interface Said {
  sent?: string;
  /** Typed without a return. */
  key?: string;
  received: string;
}

interface HttpTalk {
  kind: 'http';
  https?: true;
  /** Method and path, then the body. */
  sent: string;
  status: number;
  headers: Readonly<Record<string, string>>;
  received: string;
}

interface Playback {
  host: string;
  ports: { ssh?: number; telnet?: number; http?: number; snmp?: number };
  hostKey?: string;
  /** Lines, requests. */
  received: string[];
  close(): Promise<void>;
}

/** What it answers to a command that is not recorded, without echo and prompt; undefined: it ends the session. */
type Unrecorded = (command: string) => string | undefined;

/** @param talks with controls as they were, not as the file has them */
export async function startPlayback(
  { transport, talks }: { transport: string; talks: readonly Talk[] },
  account: Account,
  unrecorded: Unrecorded = () => undefined,
): Promise<Playback> {
  const received: string[] = [];
  const ports: Playback['ports'] = {};
  let hostKey: string | undefined;
  const open: { close(): Promise<void> }[] = [];
  const shells = new Turns(talks.filter((talk) => talk.kind === 'shell'));
  const commands = new Turns(talks.filter((talk) => talk.kind === 'exec'));
  const all = talks.flatMap((talk) => (talk.kind === 'shell' ? talk.said : []));
  // A session of its own first, and what others answered if it lacks a command.
  const play = (stream: Duplex) =>
    playShell(stream, [...(shells.next(() => true)?.said ?? []), ...all], received, unrecorded);
  if (transport === 'telnet') {
    const listener = new Listener('127.0.0.1', 0, play);
    await listener.open();
    ports.telnet = listener.port;
    open.push(listener);
  } else if (shells.size + commands.size > 0) {
    const server = await startShellServer(account, {
      shell: play,
      exec(command) {
        received.push(command);
        const talk = commands.next(({ sent }) => isLike(command, sent));
        const { received: output, status } = talk ?? { received: unrecorded(command), status: 0 };
        return output === undefined ? undefined : { output: Buffer.from(output, 'latin1'), status };
      },
    });
    ports.ssh = server.port;
    hostKey = server.hostKey;
    open.push(server);
  }
  const requests = talks.filter((talk) => talk.kind === 'http');
  if (requests.length > 0) {
    const web = playHttp(new Turns(requests), received);
    const listener = new Listener('127.0.0.1', 0, (socket) => web.emit('connection', socket));
    await listener.open();
    ports.http = listener.port;
    open.push(listener);
  }
  const rows = talks.flatMap((talk) => (talk.kind === 'snmp' ? [talk.received] : []));
  if (rows.length > 0) {
    const agent = await startSnmpRecording(readSnmprec(rows.join('\n')), undefined, {
      readCommunity: account.password ?? '',
    });
    ports.snmp = agent.port;
    open.push(agent);
  }
  const close = async () => {
    for (const each of open) await each.close();
  };
  return { host: '127.0.0.1', ports, ...(hostKey && { hostKey }), received, close };
}

/** In the order of the recording, and from its beginning again. */
class Turns<T> {
  private readonly all: readonly T[];
  private at = 0;

  constructor(all: readonly T[]) {
    this.all = all;
  }

  get size(): number {
    return this.all.length;
  }

  some(fits: (each: T) => boolean): boolean {
    return this.all.some(fits);
  }

  upcoming(): T | undefined {
    return this.all[this.at];
  }

  next(fits: (each: T) => boolean): T | undefined {
    const later = [...this.all.slice(this.at), ...this.all.slice(0, this.at)];
    const found = later.findIndex(fits);
    if (found === -1) return undefined;
    this.at = (this.at + found + 1) % this.all.length;
    return later[found];
  }
}

/** Whether it is what was sent, with any secret and any user. */
function isLike(text: string, recorded: string): boolean {
  if (text === recorded) return true;
  const parts = recorded.split(/<secret(?: [\da-f]{12})?>/);
  if (parts.length === 1) return false;
  const pattern = parts.map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('.*');
  return new RegExp(`^${pattern}$`, 's').test(text);
}

function playShell(
  stream: Duplex,
  said: readonly Said[],
  received: string[],
  unrecorded: Unrecorded,
): void {
  const turns = new Turns(said.filter(({ sent, key }) => sent !== undefined || key !== undefined));
  const [greeting] = said;
  const say = (what: string) => stream.write(Buffer.from(what, 'latin1'));
  let before = greeting?.sent === undefined ? (greeting?.received ?? '') : '';
  let typed = '';
  say(before);
  stream.on('error', () => undefined);
  stream.on('data', (bytes: Buffer) => {
    typed += bytes.toString('latin1').replaceAll(/\0|\xff[\xfb-\xfe]./gs, '');
    for (;;) {
      // A key is only one where the device waits for it.
      const { key: awaited } = turns.upcoming() ?? {};
      const isKey = awaited !== undefined && typed.startsWith(awaited);
      const key = isKey ? turns.next(() => true) : undefined;
      const [line, command = ''] = key ? [key.key ?? ''] : (/^(.*?)(?:\r\n?|\n)/.exec(typed) ?? []);
      if (line === undefined || typed === '') return;
      typed = typed.slice(line.length);
      const isUser = /(?:login|user ?(?:name)?)\s*:\s*$/i.test(before);
      const answer =
        key ?? turns.next(({ sent }) => sent !== undefined && (isUser || isLike(command, sent)));
      received.push(key ? '' : command);
      const prompt = before.slice(before.lastIndexOf('\n') + 1);
      // An empty line shows the prompt again, whether it is recorded or not.
      const other = command === '' ? '' : unrecorded(command)?.replaceAll(/\r?\n/g, '\r\n');
      const shown = command && `${command}\r\n${other}`;
      before = answer?.received ?? (other === undefined ? '' : `${shown}\r\n${prompt}`);
      say(before);
      if ((answer ?? other) === undefined || /^(?:exit|quit|logout)$/.test(command))
        return void stream.end();
    }
  });
}

function playHttp(turns: Turns<HttpTalk>, received: string[]): Server {
  const answer: RequestListener = (request, response) => {
    const line = `${request.method} ${request.url}`;
    received.push(line);
    const talk = turns.next(({ sent }) => isLike(line, sent.split('\n', 1)[0] ?? ''));
    void text(request).then(() => {
      response.writeHead(talk?.status ?? 404, { ...talk?.headers });
      response.end(talk?.received ?? '');
    });
  };
  return turns.some(({ https }) => https === true)
    ? createTlsServer(ownCertificate(false), answer)
    : createServer(answer);
}
