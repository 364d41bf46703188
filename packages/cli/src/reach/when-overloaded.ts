import type { Fetch } from '@skolo/api';
import { pause } from '@skolo/base';

/** Services say this (`busy` of packages/common), and it is half of the time that a call has. Seconds. */
const longest = 5;

/** Sends a request that only reads once more if the service is overloaded, when it says that one should try again. */
export function retriedWhenOverloaded(send: Fetch): Fetch {
  return async (url, request) => {
    const answer = await send(url, request);
    const seconds = Number(answer.headers.get('retry-after') ?? Number.NaN);
    if (request.method !== 'GET' || answer.status !== 503 || !(seconds <= longest)) return answer;
    // So that the connection can be used again.
    for await (const _ of answer.body ?? []);
    await pause(seconds * 1000, request.signal);
    return await send(url, request);
  };
}
