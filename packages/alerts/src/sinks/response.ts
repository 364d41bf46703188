/** Interprets a receiver's response: whether it accepted the message, and if not, whether the message or the sink is to blame. */
import { isObject, parseJson } from '@skolo/base';
import { DescribedExpression, SlowExpression, timely } from '@skolo/base/described-expression';
import { notOkResponses, type Responses, responseMeanings } from '@skolo/rack';
import type { SinkReason } from '../sink.ts';

/** `unclear`: it does not say whether the receiver has the message. */
type Meaning = 'accepted' | 'unclear' | SinkReason;

/** What to do, and the statuses that are not about the message. */
const reasons: readonly { reason: SinkReason; statuses: number[]; hint?: string }[] = [
  { reason: 'credentials', statuses: [401], hint: 'fix the token' },
  { reason: 'permission', statuses: [403], hint: 'grant the required permission to the token' },
  { reason: 'topic', statuses: [404, 405, 410, 421], hint: 'fix `url`, `to` or `method`' },
  { reason: 'timeout', statuses: [408] },
  { reason: 'quota', statuses: [425, 429] },
  { reason: 'rejected', statuses: [], hint: 'fix the body, method or headers' },
];

export function hintOf(reason: SinkReason): string {
  return reasons.find((each) => each.reason === reason)?.hint ?? 'skolo retries the request';
}

/** A gateway passed the request on, and got no response in time (RFC 9110, section 15.6.5; 524 is Cloudflare's). */
const passedOn = [504, 524];

/** Patterns are compared with this much of a response, because a receiver determines its length. */
const mostCompared = 2000;

/**
 * Interprets responses: the first matching pattern applies, then the status. By default, a response with a 2xx status is accepted unless it
 * is JSON with `"ok": false`. What was read of a response that was cut off is interpreted in the same way. A pattern that takes too long
 * decides nothing.
 */
export function responseReader(patterns: Responses) {
  const own = matcher(patterns);
  const ofNotOk = matcher(notOkResponses);
  return (status: number, text: string): Meaning => {
    const response = `${status} ${text.trim()}`.slice(0, mostCompared);
    const found = own(response);
    if (found !== undefined) return found;
    if (passedOn.includes(status)) return 'unclear';
    if (status >= 500) return 'unavailable';
    if (status >= 400) {
      return reasons.find(({ statuses }) => statuses.includes(status))?.reason ?? 'rejected';
    }
    if (status >= 300) return 'topic';
    if (isNotOk(text)) return ofNotOk(response) ?? 'rejected';
    // Not as expected: cut off, or perhaps the page of a proxy.
    return patterns.accepted === undefined ? 'accepted' : 'unclear';
  };
}

function matcher(responses: Responses): (response: string) => Meaning | undefined {
  const meanings = responseMeanings.flatMap((meaning) => {
    const pattern = responses[meaning];
    return pattern === undefined
      ? []
      : [{ meaning, pattern: new DescribedExpression(pattern, 's') }];
  });
  const patterns = meanings.map(({ pattern }) => pattern);
  return (response) => {
    try {
      const find = () => meanings.find(({ pattern }) => pattern.test(response))?.meaning;
      return timely(patterns, find);
    } catch (error) {
      if (error instanceof SlowExpression) return 'unclear';
      throw error;
    }
  };
}

function isNotOk(text: string): boolean {
  // It may be cut off.
  if (/^\s*\{\s*"ok"\s*:\s*false\b/.test(text)) return true;
  const value = parseJson(text);
  return isObject(value) && value.ok === false;
}
