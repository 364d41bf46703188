/** Reads Alertmanager's list of alerts, by its API v2: https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml */
import { Alert } from '@skolo/alerts';
import { parseJson } from '@skolo/base';
import { request, Unreachable, withAnswer } from '@skolo/base/request';
import { z } from 'zod';

const ListedAlert = Alert.pick({ labels: true, annotations: true, generatorURL: true }).extend({
  startsAt: z.string(),
  /** When this process received it last, by its own clock. */
  updatedAt: z.string(),
  receivers: z.array(z.object({ name: z.string() })),
  /** `mutedBy`, since 0.28: time intervals. */
  status: z.object({ state: z.string(), mutedBy: z.array(z.string()).optional() }),
});
export type ListedAlert = z.output<typeof ListedAlert>;

const Status = z.object({
  uptime: z.string().refine((text) => Number.isFinite(Date.parse(text))),
});

const timeoutMs = 15_000;
/** 100,000 alerts of the usual size. */
const mostBytes = 2 ** 27;
/** Limit of all that is between alerts, and of a text in an alert: a longer one is cut. No known alert has longer labels. */
const mostPartBytes = 2 ** 20;
/** Limit of an alert with its cut texts. */
const mostAlertBytes = 2 ** 24;
/** Bytes of memory of such a part once it is parsed. */
const mostPartMemory = 2 ** 26;
/** Bytes of the longest escape, `\u1234`. */
const escapeLength = 6;
const [quote, backslash] = [0x22, 0x5c];
const [openList, closeList, openObject, closeObject] = [0x5b, 0x5d, 0x7b, 0x7d];

/**
 * Passes each alert to `each`: all that fire, muted or not.
 *
 * @throws Unreachable There was no complete list in time.
 */
export async function listAlerts(
  url: string,
  each: (alert: ListedAlert) => void,
  signal: AbortSignal,
): Promise<void> {
  const what = `${url}/api/v2/alerts`;
  await withAnswer(what, { timeoutMs, signal }, async ({ status, message }) => {
    if (status !== 200) throw new Unreachable(`${what}: status ${status}`);
    const unusable = new Unreachable(
      `${what}: the response is too large or is not a complete list`,
    );
    for await (const text of elementsOf(message, unusable)) {
      const { data } = ListedAlert.safeParse(parseJson(text, mostPartMemory));
      if (data === undefined) throw unusable;
      each(data);
    }
  });
}

/** What a process of Alertmanager says about itself. */
interface AlertmanagerStatus {
  /** When it was started, by its own clock: it had no alerts then. */
  start: string;
  /** Its time when it responded, in whole seconds, as milliseconds since 1970. NaN if it does not say. */
  date: number;
}

/**
 * Asks Alertmanager for its status.
 *
 * @throws Unreachable
 */
export async function readStatus(url: string, signal: AbortSignal): Promise<AlertmanagerStatus> {
  const what = `${url}/api/v2/status`;
  const { status, headers, text } = await request(what, { timeoutMs, signal });
  const { data } = Status.safeParse(parseJson(text));
  if (status === 200 && data !== undefined)
    return { start: data.uptime, date: Date.parse(headers.date ?? '') };
  throw new Unreachable(`${what}: the response (${status}) is not Alertmanager's status`);
}

/**
 * The objects of a JSON list, one at a time, because the complete list may be larger than the memory. Long texts are cut.
 *
 * @throws `unusable`
 */
async function* elementsOf(stream: AsyncIterable<Buffer>, unusable: Error): AsyncGenerator<string> {
  let [bytes, depth, count] = [0, 0, 0];
  let [isText, isEscaped, isCut] = [false, false, false];
  /** Where the text begins, and its last escape, in bytes of the response. */
  let [textAt, escapeAt] = [0, 0];
  let element: Buffer[] = [];
  let elementBytes = 0;
  /** The list, with 0 instead of each object. */
  let list = '';
  for await (const chunk of stream) {
    let from = 0;
    if (elementBytes > mostAlertBytes || list.length > mostPartBytes) throw unusable;
    for (let at = 0; at < chunk.length; at += 1) {
      const byte = chunk[at];
      if (isText) {
        const place = bytes + at;
        const isLong = !isCut && depth > 1 && place - textAt > mostPartBytes;
        // Not within an escape.
        if (isLong && !isEscaped && (byte === backslash || place - escapeAt >= escapeLength)) {
          isCut = true;
          element.push(chunk.subarray(from, at));
          elementBytes += at - from;
        }
        isText = isEscaped || byte !== quote;
        isEscaped = !isEscaped && byte === backslash;
        if (isEscaped) escapeAt = place;
        if (!isCut || isText) continue;
        isCut = false;
        from = at;
      } else if (byte === quote) {
        isText = true;
        textAt = bytes + at;
      } else if (byte === openList || byte === openObject) {
        depth += 1;
        if (depth !== 2) continue;
        list += `${chunk.toString('latin1', from, at)}0`;
        from = at;
      } else if (byte === closeList || byte === closeObject) {
        depth -= 1;
        if (depth !== 1) continue;
        yield Buffer.concat([...element, chunk.subarray(from, at + 1)]).toString();
        element = [];
        elementBytes = 0;
        count += 1;
        from = at + 1;
      }
    }
    bytes += chunk.length;
    if (bytes > mostBytes) throw unusable;
    const rest = chunk.subarray(from);
    if (depth <= 1) list += rest.toString('latin1');
    else if (!isCut) {
      element.push(rest);
      elementBytes += rest.length;
    }
  }
  const found = parseJson(list, mostPartMemory);
  if (Array.isArray(found) && found.length === count && found.every((one) => one === 0)) return;
  throw unusable;
}
