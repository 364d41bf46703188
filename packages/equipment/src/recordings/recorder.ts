/** Collects what a device is sent and answers, and makes of it what a file contains. */
import type { SecretRule } from '../models/contract/backup.ts';
import type { Talk } from '../transports/stream/transcript.ts';
import { type RecordedTalk, written } from './recording.ts';
import type { IsNeeded, Redaction } from './redaction.ts';

/** More than the answers of any device. */
const mostCharacters = 16 * 1024 * 1024;
/** Headers that drivers look at. */
const headerNames = ['content-type', 'etag', 'location', 'x-auth-token'];

interface Part {
  sent: string;
  received: string;
}

export class Recorder {
  private readonly talks = new Map<Talk, Part[]>();
  private size = 0;

  /** For `onTranscript`. */
  hear(from: 'us' | 'device', text: string, talk: Talk | undefined): void {
    this.size += text.length;
    if (talk === undefined || this.isCut) return;
    const parts = this.talks.get(talk) ?? [];
    if (from === 'us') parts.push({ sent: text, received: '' });
    else if (parts.length === 0) parts.push({ sent: '', received: text });
    else for (const last of parts.slice(-1)) last.received += text;
    this.talks.set(talk, parts);
  }

  /** Whether it answered more than is kept. */
  get isCut(): boolean {
    return this.size > mostCharacters;
  }

  /** The first pass over everything. */
  teach(redaction: Redaction): void {
    for (const { sent } of [...this.talks.values()].flat()) redaction.learnProtocol(sent);
    for (const [{ kind, headers = {} }, parts] of this.talks) {
      for (const { sent, received } of parts) {
        if (kind === 'http') redaction.learnHttp(received);
        else redaction.learn(received);
        redaction.learn(sent);
        if (kind === 'shell') redaction.learnPrompt(/[^\r\n]*$/.exec(received)?.[0] ?? '');
      }
      for (const token of [headers['x-auth-token'] ?? []].flat())
        redaction.learnWord('secret', token);
    }
  }

  /**
   * @param rules of the model's secrets
   * @param isNeeded whether a place is needed: in a response of HTTP, or in all requests
   */
  redacted(
    redaction: Redaction,
    rules: readonly SecretRule[],
    isNeeded: IsNeeded = () => false,
  ): RecordedTalk[] {
    const rows: string[] = [];
    const requested = this.requestedObjects();
    const talks = [...this.talks].flatMap(([talk, parts]): RecordedTalk[] => {
      const { kind, status = 0, https = false, headers = {} } = talk;
      const [{ sent, received } = { sent: '', received: '' }] = parts;
      if (kind === 'snmp') {
        const all = parts.flatMap((part) => part.received.split('\n'));
        rows.push(...all.filter((row) => isBelow(row.slice(0, row.indexOf('|')), requested)));
      }
      if (kind === 'shell') return [{ kind, said: shell(redaction, parts, rules) }];
      if (kind === 'exec') {
        const text = written(redaction.text(received, rules), '\n');
        return [{ kind, sent: redaction.value(sent.trimEnd()), received: text, status }];
      }
      if (kind !== 'http') return [];
      const [line, data] = /^(\S+ \S+) ?(.*)$/s.exec(sent.trimEnd())?.slice(1) ?? [];
      const kept = headerNames.flatMap((name) => {
        const value = [headers[name] ?? []].flat().join(', ');
        const own = redaction.http(value, (place) => isNeeded(`${line} ${name} ${place}`));
        return value === '' ? [] : [[name, own] as const];
      });
      const request = [
        redaction.requestLine(line ?? '', isNeeded),
        // It is not compared when it is played.
        ...(data ? [redaction.http(data)] : []),
      ];
      const head = { sent: request.join('\n'), status, headers: Object.fromEntries(kept) };
      const body = redaction.http(received, (place) => isNeeded(`${line} ${place}`));
      return [{ kind, ...(https && { https }), ...head, received: body }];
    });
    if (rows.length === 0) return talks;
    return [...talks, { kind: 'snmp', received: redaction.snmp(sorted(rows)) }];
  }

  /** Agents also answer a request for several objects with rows of other tables. */
  private requestedObjects(): ReadonlySet<string> {
    const sent = [...this.talks].flatMap(([{ kind }, parts]) => (kind === 'snmp' ? parts : []));
    return new Set(sent.flatMap((part) => part.sent.match(/(?<=\s)\d+(?:\.\d+)+(?=\s|$)/g) ?? []));
  }
}

/** Whether it is one of these objects, or below one. */
function isBelow(oid: string, objects: ReadonlySet<string>): boolean {
  for (let end = oid.length; end > 0; end = oid.lastIndexOf('.', end - 1)) {
    if (objects.has(oid.slice(0, end))) return true;
  }
  return false;
}

/** Separates what was received before and after a key, while secrets that extend over both are masked. */
const cut = '\x1e';

/** Whoever plays it takes any. */
const asksForUser = /(?:login|user ?(?:name)?)\s*:\s*$/i;

function shell(redaction: Redaction, parts: readonly Part[], rules: readonly SecretRule[]) {
  const isKey = ({ sent }: Part) => sent !== '' && !/[\r\n]$/.test(sent);
  const commands: Part[][] = [];
  for (const part of parts) {
    if (isKey(part) && commands.length > 0) commands.at(-1)?.push(part);
    else commands.push([part]);
  }
  let previous = '';
  return commands.flatMap((command) => {
    const whole = command.map(({ received }) => received).join(cut);
    const pieces = masked(redaction, whole, rules).split(cut);
    // A key within a masked key is gone together with its prompt.
    return pieces.map((piece, at) => {
      const { sent = '' } = command[at] ?? {};
      const isUser = asksForUser.test(previous);
      previous = piece;
      const typed = isUser
        ? '<user>'
        : written(redaction.value(sent.replace(/[\r\n]+$/, '')), '\r\n');
      const what = at > 0 || isKey({ sent, received: '' }) ? { key: typed } : { sent: typed };
      return { ...(sent !== '' && what), received: written(piece, '\r\n') };
    });
  });
}

/** What a device sends to let lines disappear, or to begin them. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what devices send.
const lineBegin = /^(?:[^\r\n]*(?:\r|\x08)|\x1b\[[\d;?]*[A-Za-z]|\x1e)+(?=[^\r\n]|$)/;

/** With the beginnings of its lines apart, behind which rules for lines find nothing. */
function masked(redaction: Redaction, text: string, rules: readonly SecretRule[]): string {
  // Keys of several lines are one word then.
  const whole = redaction.masked(text, rules);
  const lines = whole.split('\n').map((line) => {
    const plain = line.endsWith('\r') ? line.slice(0, -1) : line;
    const begin = lineBegin.exec(plain)?.[0] ?? '';
    return { begin, rest: plain.slice(begin.length), end: line.slice(plain.length) };
  });
  const rests = redaction.text(lines.map(({ rest }) => rest).join('\n'), rules).split('\n');
  if (rests.length !== lines.length) return redaction.text(whole, rules);
  return rests
    .map((rest, at) => {
      const { begin = '', end = '' } = lines[at] ?? {};
      return `${redaction.value(begin)}${rest}${end}`;
    })
    .join('\n');
}

/** By object, each once: the first value. */
function sorted(rows: readonly string[]): string {
  const byOid = new Map<string, string>();
  for (const row of rows) {
    const oid = row.slice(0, row.indexOf('|'));
    if (oid !== '' && !byOid.has(oid)) byOid.set(oid, row);
  }
  const numbers = (oid: string) => oid.split('.').map(Number);
  const order = [...byOid].sort(([a], [b]) => {
    const [one, other] = [numbers(a), numbers(b)];
    const at = one.findIndex((number, index) => number !== other[index]);
    return at === -1 ? one.length - other.length : (one[at] ?? 0) - (other[at] ?? -1);
  });
  return order.map(([, row]) => row).join('\n');
}
