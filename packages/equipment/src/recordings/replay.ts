/** Answers requests of HTTP from a recording, in memory. */
import type { Recorded } from '../transports/stream/transcript.ts';
import type { RecordedTalk } from './recording.ts';

/** Returns answers in the order of the recording, and from its beginning again; a request that is not recorded gets status 404. */
export function replayOf(talks: readonly RecordedTalk[]): NonNullable<Recorded['replay']> {
  const recorded = talks.flatMap((talk) => {
    if (talk.kind !== 'http') return [];
    const { sent, received: body, status, headers } = talk;
    return [{ line: lineLike(sent.split('\n', 1)[0] ?? ''), answer: { body, status, headers } }];
  });
  let at = 0;
  return (request) => {
    const line = request.split(' ', 2).join(' ');
    const later = [...recorded.keys()].map((index) => (at + index) % recorded.length);
    const next = later.find((index) => recorded[index]?.line.test(line));
    if (next === undefined) return { body: '', status: 404, headers: {} };
    at = (next + 1) % recorded.length;
    return recorded[next]?.answer ?? { body: '', status: 404, headers: {} };
  };
}

/** Any secret will do. */
function lineLike(recorded: string): RegExp {
  const parts = recorded.split(/<secret(?: [\da-f]{12})?>/);
  const source = parts.map((part) => part.replaceAll(/[.*+?^${}()|[\]\\/-]/g, '\\$&')).join('.*');
  return new RegExp(`^${source}$`, 's');
}
