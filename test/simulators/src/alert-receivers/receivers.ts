/** What each receiver accepts, by its published limits, and how it responds to the rest. */
import type { Answer as WebAnswer } from '../cloud/web-server.ts';
import { excessesOf, fieldOf, isBlank, type Limit, lengthOf } from './limits.ts';

export interface ReceivedRequest {
  /** With the query. */
  path: string;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  body: string;
}

export interface Answer extends WebAnswer {
  /** Whether people see the message; a receiver may respond before it knows. */
  shown: boolean;
}

/** @param isStrict characters are UTF-16 units instead of code points */
type Receive = (request: ReceivedRequest, isStrict: boolean) => Answer;

type Body = object | string;
const shown = (status: number, body: Body): Answer => ({ status, body, shown: true });
const refused = (status: number, body: Body): Answer => ({ status, body, shown: false });

/** The fields of a JSON or form body. */
function fieldsOf({ headers, body }: ReceivedRequest): unknown {
  if (String(headers['content-type']).startsWith('application/x-www-form-urlencoded')) {
    return Object.fromEntries(new URLSearchParams(body));
  }
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

/**
 * Events API v2. https://github.com/PagerDuty/developer-docs/blob/main/docs/events-API-v2/02-Trigger-Events.md has the limits of fields,
 * and 01-Overview.md the 512 kB and the statuses.
 */
const pagerduty: Receive = (request, isStrict) => {
  const event = fieldsOf(request);
  const invalid = (...errors: string[]) =>
    refused(400, { status: 'invalid event', message: 'Event object is invalid', errors });
  if (Buffer.byteLength(request.body) > 512_000) return refused(413, 'Payload Too Large');
  if (event === undefined) return invalid('JSON is invalid');
  if (String(fieldOf(event, 'routing_key')).length !== 32) {
    return invalid("Length of 'routing_key' is incorrect (should be 32 characters)");
  }
  const always: Limit[] = [
    { field: 'event_action', required: true, oneOf: ['trigger', 'acknowledge', 'resolve'] },
    { field: 'dedup_key', most: 255, required: fieldOf(event, 'event_action') !== 'trigger' },
  ];
  const ofTrigger: Limit[] = [
    { field: 'payload.summary', most: 1024, required: true },
    { field: 'payload.source', required: true },
    { field: 'payload.severity', required: true, oneOf: ['critical', 'error', 'warning', 'info'] },
  ];
  const limits = fieldOf(event, 'payload') === undefined ? always : [...always, ...ofTrigger];
  const errors = excessesOf(event, limits, isStrict).map(({ field, why, most, oneOf }) => {
    if (why === 'missing') return `'${field}' is missing or blank`;
    if (why === 'too long') return `'${field}' is too long (maximum is ${most} characters)`;
    return `'${field}' is invalid (must be one of the following: ${oneOf?.join(', ')})`;
  });
  const details = fieldOf(fieldOf(event, 'payload'), 'custom_details');
  if (details !== undefined && typeof details !== 'object')
    errors.push("'custom_details' is invalid");
  if (errors.length > 0) return invalid(...errors);
  const dedup_key = fieldOf(event, 'dedup_key');
  return shown(202, { status: 'success', message: 'Event processed', dedup_key });
};

/** Alert API. https://docs.opsgenie.com/docs/alert-api has the limits, https://docs.opsgenie.com/docs/response the statuses. */
const opsgenie: Receive = (request, isStrict) => {
  const { pathname, searchParams } = new URL(request.path, 'http://opsgenie');
  const rest = { took: 0.01, requestId: '43a29c5c-3dbf-4fa4-9c26-f4f71023e120' };
  const [, key = ''] = /^GenieKey (.*)$/.exec(String(request.headers.authorization)) ?? [];
  if (key === '') return refused(401, { message: 'Could not authenticate', ...rest });
  if (!/^[\da-f-]{36}$/.test(key)) {
    return refused(422, { message: 'Key format is not valid!', ...rest });
  }
  const alert = fieldsOf(request);
  if (typeof alert !== 'object') return refused(400, { message: 'Could not parse body', ...rest });
  const isClose = /^\/v2\/alerts\/[^/]+\/close$/.test(pathname);
  if (isClose && searchParams.get('identifierType') !== 'alias') {
    return refused(404, { message: 'Alert does not exist', ...rest });
  }
  if (!isClose && pathname !== '/v2/alerts')
    return refused(404, { message: 'No such path', ...rest });
  const limits: Limit[] = [
    ...(isClose ? [] : [{ field: 'message', most: 130, required: true }]),
    { field: 'alias', most: 512 },
    { field: 'description', most: 15_000 },
    { field: 'entity', most: 512 },
    { field: 'source', most: 100 },
    { field: 'user', most: 100 },
    { field: 'note', most: 25_000 },
    { field: 'priority', oneOf: ['P1', 'P2', 'P3', 'P4', 'P5'] },
  ];
  const errors = excessesOf(alert, limits, isStrict).map(({ field, why }) => `${field}: ${why}`);
  const details = Object.entries(fieldOf(alert, 'details') ?? {});
  const length = details.flat().reduce((sum, text) => sum + lengthOf(String(text), isStrict), 0);
  if (length > 8000 || details.some(([, value]) => typeof value !== 'string')) {
    errors.push('details: too long, or not texts');
  }
  if (errors.length === 0) return shown(202, { result: 'Request will be processed', ...rest });
  const message = 'Request body is not processable. Please check the errors.';
  return refused(422, { message, errors, ...rest });
};

/** 40,000 characters: https://api.slack.com/changelog/2018-04-truncating-really-long-messages. */
const slackLimits: Limit[] = [{ field: 'text', most: 40_000, required: true }];

/** Incoming webhooks: https://api.slack.com/changelog/2016-05-17-changes-to-errors-for-incoming-webhooks. */
const slack: Receive = (request, isStrict) => {
  if (!/^\/services\/T\w+\/B\w+\/\w+$/.test(request.path)) return refused(404, 'no_service');
  const message = fieldsOf(request);
  if (typeof message !== 'object') return refused(400, 'invalid_payload');
  const [excess] = excessesOf(message, slackLimits, isStrict);
  if (excess === undefined) return shown(200, 'ok');
  return refused(400, excess.why === 'missing' ? 'no_text' : 'msg_too_long');
};

/** https://docs.slack.dev/reference/methods/chat.postMessage: errors have status 200. */
const slackApi: Receive = (request, isStrict) => {
  const failed = (error: string) => refused(200, { ok: false, error });
  const { authorization } = request.headers;
  if (request.path !== '/api/chat.postMessage') return failed('unknown_method');
  if (authorization === undefined) return failed('not_authed');
  if (!/^Bearer xox/.test(String(authorization))) return failed('invalid_auth');
  const message = fieldsOf(request);
  const channel = fieldOf(message, 'channel');
  if (!/^[CG]\w+$/.test(String(channel))) return failed('channel_not_found');
  const [excess] = excessesOf(message, slackLimits, isStrict);
  if (excess !== undefined) return failed(excess.why === 'missing' ? 'no_text' : 'msg_too_long');
  return shown(200, { ok: true, channel, ts: '1503435956.000247', message });
};

/** Whether it contains an adaptive card with a text. */
function isCard(message: unknown): boolean {
  const attachment = fieldOf(fieldOf(message, 'attachments'), '0');
  const card = fieldOf(attachment, 'content');
  const block = fieldOf(fieldOf(card, 'body'), '0');
  return (
    fieldOf(message, 'type') === 'message' &&
    fieldOf(attachment, 'contentType') === 'application/vnd.microsoft.card.adaptive' &&
    fieldOf(card, 'type') === 'AdaptiveCard' &&
    !isBlank(fieldOf(block, 'text'))
  );
}

/** https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/add-incoming-webhook. */
const teamsBytes = 28 * 1024;

/** A workflow responds before it posts the card. */
const teams: Receive = (request) => {
  if (!/[?&]sig=\w/.test(request.path)) {
    return refused(401, { error: { code: 'DirectApiAuthorizationRequired' } });
  }
  const message = fieldsOf(request);
  if (message === undefined) return refused(400, { error: { code: 'InvalidRequestContent' } });
  return {
    status: 202,
    body: '',
    shown: isCard(message) && Buffer.byteLength(request.body) <= teamsBytes,
  };
};

/** The connectors before workflows, which return errors of Teams with status 200. */
const teamsConnector: Receive = (request) => {
  const failed = (status: number) =>
    refused(
      200,
      `Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error ${status} with ContextId tcid=0,server=x,cv=y..`,
    );
  const message = fieldsOf(request);
  if (message === undefined)
    return refused(400, 'Bad payload received by generic incoming webhook.');
  if (Buffer.byteLength(request.body) > teamsBytes) return failed(413);
  return isCard(message) ? shown(200, '1') : failed(400);
};

/** https://github.com/discord/discord-api-docs: resources/webhook (execute) and resources/message (embed limits). */
const discord: Receive = (request, isStrict) => {
  if (!/^\/api\/webhooks\/\d+\/[\w-]+(\?|$)/.test(request.path)) {
    return refused(404, { message: 'Unknown Webhook', code: 10015 });
  }
  const message = fieldsOf(request);
  if (typeof message !== 'object') {
    return refused(400, { message: 'The request body contains invalid JSON.', code: 50109 });
  }
  const [excess] = excessesOf(
    message,
    [{ field: 'content', most: 2000, required: true }],
    isStrict,
  );
  if (excess?.why === 'missing') {
    return refused(400, { message: 'Cannot send an empty message', code: 50006 });
  }
  if (excess !== undefined) {
    const error = { code: 'BASE_TYPE_MAX_LENGTH', message: 'Must be 2000 or fewer in length.' };
    const errors = { content: { _errors: [error] } };
    return refused(400, { message: 'Invalid Form Body', code: 50035, errors });
  }
  return request.path.endsWith('?wait=true') ? shown(200, { ...message }) : shown(204, '');
};

/**
 * Publishing as JSON to a server without attachments. https://github.com/binwiederhier/ntfy: server/config.go has the 4,096 bytes, of which
 * the JSON may have twice as many, and server/errors.go the errors.
 */
const ntfy: Receive = (request) => {
  const failed = (code: number, error: string) =>
    refused(Math.floor(code / 100), { code, http: Math.floor(code / 100), error });
  if (Buffer.byteLength(request.body) > 8192) return failed(41303, 'JSON body too large');
  const message = fieldsOf(request);
  if (typeof message !== 'object')
    return failed(40024, 'invalid request: request body must be valid JSON');
  const topic = fieldOf(message, 'topic');
  if (!/^[-_A-Za-z0-9]{1,64}$/.test(String(topic))) {
    return failed(40009, 'invalid request: topic invalid');
  }
  const priority = fieldOf(message, 'priority') ?? 3;
  if (typeof priority !== 'number' || priority < 0 || priority > 5) {
    return failed(40007, 'invalid priority parameter');
  }
  if (Buffer.byteLength(String(fieldOf(message, 'message') ?? '')) > 4096) {
    return failed(40014, 'invalid request: attachments not allowed');
  }
  return shown(200, { id: 'sPs71M8A2T', time: 1643935928, event: 'message', ...Object(message) });
};

/** https://core.telegram.org/bots/api#sendmessage; https://github.com/tdlib/telegram-bot-api has the texts. */
const telegram: Receive = (request) => {
  const failed = (status: number, description: string) =>
    refused(status, { ok: false, error_code: status, description });
  if (!/^\/bot\d+:[\w-]+\/sendMessage$/.test(request.path)) return failed(404, 'Not Found');
  const message = fieldsOf(request);
  const text = String(fieldOf(message, 'text') ?? '');
  if (!/^(-?\d+|@\w{5,})$/.test(String(fieldOf(message, 'chat_id')))) {
    return failed(400, 'Bad Request: chat not found');
  }
  if (isBlank(text)) return failed(400, 'Bad Request: message text is empty');
  if (text.length > 4096) return failed(400, 'Bad Request: message is too long');
  if (fieldOf(message, 'parse_mode') === 'HTML' && /<(?!\/?[biu]>)|&(?!\w+;)/.test(text)) {
    return failed(400, "Bad Request: can't parse entities: Unsupported start tag");
  }
  return shown(200, { ok: true, result: { message_id: 1, text } });
};

/** https://developers.google.com/workspace/chat/api/reference/rest/v1/spaces.messages/create: 32,000 bytes. */
const googleChat: Receive = (request) => {
  const failed = (code: number, status: string, message: string) =>
    refused(code, { error: { code, message, status } });
  const { pathname, searchParams } = new URL(request.path, 'http://chat');
  if (!/^\/v1\/spaces\/\w+\/messages$/.test(pathname))
    return failed(404, 'NOT_FOUND', 'Not found.');
  if (searchParams.get('key') !== 'key-1') {
    return failed(400, 'INVALID_ARGUMENT', 'API key not valid. Please pass a valid API key.');
  }
  if (searchParams.get('token') !== 'token-1=') {
    return failed(
      401,
      'UNAUTHENTICATED',
      'The request does not have valid authentication credentials.',
    );
  }
  const message = fieldsOf(request);
  const isTooLong = Buffer.byteLength(request.body) > 32_000;
  if (isTooLong || isBlank(fieldOf(message, 'text'))) {
    return failed(400, 'INVALID_ARGUMENT', 'Message cannot be empty or too long.');
  }
  return shown(200, { name: 'spaces/AAA/messages/BBB', ...Object(message) });
};

/** By the name of the template; `teams-connector` also receives those of `teams`. */
export const receiversByName: Readonly<Record<string, Receive>> = {
  pagerduty,
  opsgenie,
  slack,
  'slack-api': slackApi,
  teams,
  'teams-connector': teamsConnector,
  discord,
  ntfy,
  telegram,
  'google-chat': googleChat,
};
