import { text } from 'node:stream/consumers';
import { CallLog } from '../cloud/call-log.ts';
import { ScriptedAnswers, type ScriptOptions } from '../cloud/scripted.ts';
import { send, WebServer } from '../cloud/web-server.ts';
import { type Answer, type ReceivedRequest, receiversByName } from './receivers.ts';

interface AlertCall {
  request: ReceivedRequest;
  answer: Answer;
}

/** A receiver of alerts on loopback, which responds as the real one does to what is within its published limits, and to what is not. */
export interface AlertReceiver {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  readonly calls: readonly AlertCall[];
  /** Responds to the next requests with this; what was scripted earlier comes first. */
  script(answer: Answer, options?: ScriptOptions<never>): void;
  /** Resolves once it has received this many requests. */
  received(count: number): Promise<void>;
  close(): Promise<void>;
}

/**
 * @param name of the template; `teams-connector` also receives messages of `teams`
 * @param isStrict characters are UTF-16 units instead of code points
 */
export async function startAlertReceiver(
  name: string,
  { isStrict = false } = {},
): Promise<AlertReceiver> {
  const receive = receiversByName[name];
  if (receive === undefined) throw new TypeError(`no receiver ${name}`);
  const log = new CallLog<AlertCall>();
  const scripted = new ScriptedAnswers<Answer, never>();
  const server = new WebServer(async (incoming, response) => {
    const request = {
      path: incoming.url ?? '',
      headers: incoming.headers,
      body: await text(incoming),
    };
    const answer = scripted.next() ?? receive(request, isStrict);
    log.arrive({ request, answer });
    send(response, answer);
  });
  const receiver: AlertReceiver = {
    get url() {
      return server.url;
    },
    calls: log.calls,
    script: (answer, options) => scripted.add(answer, options),
    received: async (count) => await log.until(() => log.calls.length >= count),
    close: async () => await server.close(),
  };
  await server.open();
  return receiver;
}
