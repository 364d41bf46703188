/** Shows on every page how people's power cycles end, until somebody in this browser has read it. */
import type { CycleRequest } from '@skolo/api/machine-state';
import { useState } from 'preact/hooks';
import { useLive } from '../live/store.ts';
import { useIsNarrow } from '../parts/narrow.ts';
import { hrefOf } from '../parts/router.ts';

const storedAs = 'read power cycles';
/** On a phone, the tiles must stay on the first screen. The others are on the power page. */
const most = { wide: 3, narrow: 1 };

export function Strip() {
  const requests = useLive(({ rack }) => rack?.cycleRequests) ?? [];
  const limit = most[useIsNarrow() ? 'narrow' : 'wide'];
  const [read, setRead] = useState(() => (localStorage.getItem(storedAs) ?? '').split('\n'));
  const unread = requests.filter((each) => !read.includes(keyOf(each)));
  if (unread.length === 0) return null;
  function markRead(some: readonly CycleRequest[]) {
    const known = new Set(requests.map(keyOf));
    const next = [...read.filter((key) => known.has(key)), ...some.map(keyOf)];
    localStorage.setItem(storedAs, next.join('\n'));
    setRead(next);
  }
  const others = unread.slice(limit);
  return (
    <section class="strip" aria-label="Power cycles">
      {unread.slice(0, limit).map((request, i) => (
        <p key={keyOf(request)} role="status" class={request.failed > 0 ? 'banner bad' : 'banner'}>
          <Ends request={request} />{' '}
          <a href={hrefOf('timeline', [], { at: request.at })} onClick={() => markRead([request])}>
            Show
          </a>{' '}
          <button type="button" class="quiet" onClick={() => markRead([request])}>
            Read
          </button>{' '}
          {others.length > 0 && i === limit - 1 && (
            <a href={hrefOf('power')} onClick={() => markRead(others)}>
              {others.length} more
            </a>
          )}
        </p>
      ))}
    </section>
  );
}

/** On a phone, without the cause: `9 back, 2 running, 1 failed: rpi-[1-12] (12)`. */
function Ends({ request: { text, where } }: { request: CycleRequest }) {
  const end = text.lastIndexOf('; ') + 1;
  return (
    <span>
      <span class="cause">{text.slice(0, end)}</span>
      {text.slice(end)}: {where}
    </span>
  );
}

/** What is read while it runs has its end shown, too. */
function keyOf({ at, where, endedAt }: CycleRequest): string {
  return `${at} ${where} ${endedAt ? 'ended' : 'running'}`;
}
