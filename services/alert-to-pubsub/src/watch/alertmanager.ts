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
/** Limit of an alert, and of all that is between alerts. */
const mostPartBytes = 2 ** 20;
/** Bytes of memory of such a part once it is parsed. */
const mostPartMemory = 2 ** 23;
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
 * The objects of a JSON list, one at a time, because the complete list may be larger than the memory.
 *
 * @throws `unusable`
 */
async function* elementsOf(stream: AsyncIterable<Buffer>, unusable: Error): AsyncGenerator<string> {
  let [bytes, depth, count] = [0, 0, 0];
  let [isText, isEscaped] = [false, false];
  let element = Buffer.alloc(0);
  /** The list, with 0 instead of each object. */
  let list = '';
  for await (const chunk of stream) {
    let from = 0;
    bytes += chunk.length;
    if (bytes > mostBytes || Math.max(element.length, list.length) > mostPartBytes) throw unusable;
    for (let at = 0; at < chunk.length; at += 1) {
      const byte = chunk[at];
      if (isText) {
        isText = isEscaped || byte !== quote;
        isEscaped = !isEscaped && byte === backslash;
      } else if (byte === quote) isText = true;
      else if (byte === openList || byte === openObject) {
        depth += 1;
        if (depth !== 2) continue;
        list += `${chunk.toString('latin1', from, at)}0`;
        from = at;
      } else if (byte === closeList || byte === closeObject) {
        depth -= 1;
        if (depth !== 1) continue;
        yield Buffer.concat([element, chunk.subarray(from, at + 1)]).toString();
        element = Buffer.alloc(0);
        count += 1;
        from = at + 1;
      }
    }
    const rest = chunk.subarray(from);
    if (depth > 1) element = Buffer.concat([element, rest]);
    else list += rest.toString('latin1');
  }
  const found = parseJson(list, mostPartMemory);
  if (Array.isArray(found) && found.length === count && found.every((one) => one === 0)) return;
  throw unusable;
}
