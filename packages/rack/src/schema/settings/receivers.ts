/**
 * Decides what chat and paging services receive, where a message that is too long is truncated, which responses mean success, and how many
 * messages leave in a minute: requests and responses of each `template` in rack.yaml.
 *
 * Texts are truncated to what all receivers accept in any script: a UTF-16 unit is at most one character, and at most three bytes of UTF-8.
 * They begin with something visible, because receivers reject blank ones.
 */

/** Meanings of a response. If the patterns of several match, the first applies. */
export const responseMeanings = [
  'accepted',
  'quota',
  'unavailable',
  'credentials',
  'permission',
  'topic',
  'rejected',
] as const;
export type Responses = Partial<Record<(typeof responseMeanings)[number], string>>;

/**
 * Errors of Slack's web API, which have status 200 and `"ok": false`. Others are about the message.
 * https://docs.slack.dev/reference/methods/chat.postMessage#errors
 */
export const notOkResponses: Responses = {
  quota: '"(rate_?limited|message_limit_exceeded)"',
  unavailable: '"(internal_error|fatal_error|service_unavailable|request_timeout|team_added)',
  credentials: '"(invalid_auth|not_authed|account_inactive|[a-z_]*(token|scope|login)[a-z_]*)"',
  permission: '"[a-z_]*(access|permission|restricted)[a-z_]*"',
  topic: '"(channel_|not_in_channel|is_archived|is_inactive|team_not_found|deprecated)',
};

/** Keys may have any order; quotes in texts are escaped. */
const isOk = String.raw`^200 \{.*"ok"\s*:\s*true`;
const isJson = String.raw`^200 \{`;

const summary =
  'annotations.summary | annotations.description | annotations.message | labels.alertname | "alert"';
const description =
  'map(annotations.description, annotations.summary: "", annotations.description)';
/** Several racks may have the same location. Alerts that began under an earlier version have no rack. */
const key = '{{rack | location}}-{{truncate(150, fingerprint)}}';
const page = 'annotations.console | generatorURL';
const link = `{{truncate(1000, ${page})}}`;

/** Literals for each level, of which the third is the default. */
function severity([critical, error, warning, info]: string[], of = 'labels.severity'): string {
  return `{{map(${of},
    "critical" | "page" | "emergency" | "disaster" | "fatal" | "p1": ${critical},
    "error" | "major" | "high" | "p2": ${error},
    "info" | "informational" | "notice" | "none" | "low" | "debug" | "ok" | "p5": ${info},
    ${warning})}}`;
}

/** At most 1,900 characters, in JSON; if escaped, five times as many. */
function chat(separator = String.raw`\n`, call = (value: string) => value): string {
  const place = (length: number, value: string) => `{{${call(`truncate(${length}, ${value})`)}}}`;
  const name = place(150, 'labels.alertname | "alert"');
  const level = place(50, 'labels.severity | "no severity"');
  return [
    `[{{status}}] ${name} (${level}) at ${place(100, 'location')}`,
    place(400, 'annotations.summary | annotations.message'),
    place(600, description),
    place(200, 'annotations.first_command'),
    place(300, page),
  ].join(separator);
}
const escapedChat = chat(undefined, (value) => `escape(${value})`);

/** Defaults for the keys of the same names. */
interface Receiver {
  url?: string;
  headers?: Record<string, string>;
  body: string;
  resolved?: { path: string; body: string };
  responses: Responses;
  /** Left out where the limit depends on the account: the receiver then says 429. */
  perMinute?: number;
}

export const receivers: Readonly<Record<string, Receiver>> = {
  /**
   * https://developer.pagerduty.com/docs/events-api-v2-overview: 1,024 characters, `dedup_key` 255, 512 kB in all;
   * 120 events a minute for each integration key.
   */
  pagerduty: {
    url: 'https://events.pagerduty.com/v2/enqueue',
    body: `{"routing_key": "{{token}}", "event_action": "{{action}}", "dedup_key": "${key}",
      "payload": {"summary": "{{truncate(1024, ${summary})}}", "source": "{{location}}",
        "severity": "${severity(['"critical"', '"error"', '"warning"', '"info"'])}",
        "custom_details": {"labels": {{truncate(10000, labels)}},
          "annotations": {{truncate(10000, annotations)}}, "link": "${link}"}}}`,
    responses: { accepted: '^202 ', credentials: 'routing.?key' },
    perMinute: 120,
  },
  /** https://docs.opsgenie.com/docs/alert-api: `message` 130 characters, `alias` 512, `description` 15,000, `details` 8,000. */
  opsgenie: {
    url: 'https://api.opsgenie.com/v2/alerts',
    headers: { authorization: 'GenieKey {{token}}' },
    body: `{"message": "{{truncate(130, ${summary})}}", "alias": "${key}", "source": "{{location}}",
      "description": "{{truncate(5000, annotations.description | annotations.summary)}}\\n${link}",
      "details": {{truncate(7000, labels)}},
      "priority": "${severity(['"P1"', '"P2"', '"P3"', '"P5"'])}"}`,
    resolved: {
      path: `/${key}/close?identifierType=alias`,
      body: '{"source": "{{location}}", "note": "resolved"}',
    },
    responses: { accepted: '^202 ', credentials: 'Key format|API ?[Kk]ey' },
  },
  /**
   * https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks: 40,000 characters; `&`, `<` and `>` are escaped.
   * One message a second: https://docs.slack.dev/apis/web-api/rate-limits.
   */
  slack: {
    url: 'https://hooks.slack.com/services/{{token}}',
    body: `{"text": "${escapedChat}"}`,
    responses: { accepted: '^200 ok$', topic: 'no_service|no_active_hooks|no_team|invalid_token' },
    perMinute: 60,
  },
  /** https://docs.slack.dev/reference/methods/chat.postMessage. */
  'slack-api': {
    url: 'https://slack.com/api/chat.postMessage',
    body: `{"channel": "{{to}}", "text": "${escapedChat}"}`,
    responses: { accepted: isOk },
    perMinute: 60,
  },
  /**
   * A workflow responds with 202, and the connectors before it with 200 and `1`, or the status that Teams returned.
   * https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/add-incoming-webhook: 28 kB, and 60 requests
   * in 30 s.
   */
  teams: {
    body: `{"type": "message", "attachments": [{"contentType": "application/vnd.microsoft.card.adaptive",
      "content": {"$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard",
        "version": "1.4", "body": [{"type": "TextBlock", "wrap": true, "text": "${chat(String.raw`\n\n`)}"}]}}]}`,
    responses: {
      accepted: '^202 |^200 1$',
      quota: 'HTTP error 429',
      topic: 'HTTP error (403|404|410)|WorkflowTriggerIsNotEnabled|WorkflowNotFound',
      rejected: 'HTTP error 4',
    },
    perMinute: 60,
  },
  /**
   * https://discord.com/developers/docs/resources/webhook#execute-webhook: 2,000 characters. 30 requests a minute, as users
   * report: Discord publishes no number.
   */
  discord: {
    url: 'https://discord.com/api/webhooks/{{token}}',
    body: `{"content": "${chat()}", "allowed_mentions": {"parse": []}}`,
    responses: { accepted: `^204 |${isJson}` },
    perMinute: 30,
  },
  /**
   * https://docs.ntfy.sh/publish: `message` 4,096 bytes, and the JSON twice as many; 60 requests at once,
   * and then one in 5 s.
   */
  ntfy: {
    url: 'https://ntfy.sh',
    body: `{"topic": "{{to}}", "click": "{{truncate(500, ${page})}}",
      "title": "[{{status}}] {{truncate(150, labels.alertname | "alert")}} at {{location}}",
      "message": "{{truncate(400, ${summary})}}\\n{{truncate(600, ${description})}}\\n{{truncate(200, annotations.first_command)}}",
      "tags": ["{{map(action, "resolve": "white_check_mark", "rotating_light")}}"],
      "priority": ${severity(['5', '4', '3', '2'], 'map(action, "resolve": "info", labels.severity)')}}`,
    responses: { accepted: isJson, topic: '"error":"[^"]*topic' },
    perMinute: 12,
  },
  /**
   * https://core.telegram.org/bots/api#sendmessage: 4,096 characters. 20 messages a minute in a group:
   * https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this.
   */
  telegram: {
    url: 'https://api.telegram.org/bot{{token}}/sendMessage',
    body: `{"chat_id": "{{to}}", "text": "${chat()}", "link_preview_options": {"is_disabled": true}}`,
    responses: {
      accepted: isOk,
      topic: 'chat not found|chat_id is empty|upgraded to a supergroup',
    },
    perMinute: 20,
  },
  /**
   * https://developers.google.com/workspace/chat/api/reference/rest/v1/spaces.messages/create: 32,000 bytes.
   * One message a second in a space: https://developers.google.com/workspace/chat/limits.
   */
  'google-chat': {
    url: 'https://chat.googleapis.com/v1/spaces/{{token}}',
    body: `{"text": "${chat()}"}`,
    responses: { accepted: isJson, credentials: 'API key not valid|[Ii]nvalid.{0,20}token' },
    perMinute: 60,
  },
};
