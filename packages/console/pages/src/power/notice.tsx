/** Shows at the foot of every page how one's own power cycles end: until shortly after all are back, or, if one failed, until it is closed. */
import type { CycleRequest } from '@skolo/api/machine-state';
import { useRef, useState } from 'preact/hooks';
import { useLive } from '../live/store.ts';
import { useIsNarrow } from '../parts/narrow.ts';
import { hrefOf } from '../parts/router.ts';
import { useNow } from '../parts/time.tsx';

const storedAs = 'read power cycles';
const most = { wide: 3, narrow: 1 };
const shownMs = 30_000;

export function Notice() {
  const name = useLive(({ session }) => session?.name);
  const requests = useLive(({ rack }) => rack?.cycleRequests) ?? [];
  const limit = most[useIsNarrow() ? 'narrow' : 'wide'];
  const now = useNow();
  const [closed, setClosed] = useState(() => (localStorage.getItem(storedAs) ?? '').split('\n'));
  /** When this page has seen their end, by its own clock: the rack's may differ. Those that have not ended: Infinity. */
  const seen = useRef(new Map<string, number>()).current;

  function isShown(request: CycleRequest): boolean {
    const { by, endedAt, failed } = request;
    const key = `${request.at} ${request.where}`;
    if (by !== name || closed.includes(keyOf(request))) return false;
    const before = seen.get(key);
    if (endedAt === undefined) seen.set(key, Number.POSITIVE_INFINITY);
    else if (before === Number.POSITIVE_INFINITY) seen.set(key, now);
    return endedAt === undefined || failed > 0 || now - (seen.get(key) ?? 0) < shownMs;
  }

  function close(request: CycleRequest) {
    const known = new Set(requests.map(keyOf));
    const next = [...closed.filter((key) => known.has(key)), keyOf(request)];
    localStorage.setItem(storedAs, next.join('\n'));
    setClosed(next);
  }

  const shown = requests.filter(isShown);
  if (shown.length === 0) return null;
  return (
    <section class="notice" aria-label="Power cycles">
      {shown.slice(0, limit).map((request) => (
        <p key={keyOf(request)} role="status" class={request.failed > 0 ? 'bad' : ''}>
          <Ends request={request} />{' '}
          <a href={hrefOf('timeline', [], { at: request.at })} onClick={() => close(request)}>
            Show
          </a>{' '}
          <button type="button" class="quiet" aria-label="Close" onClick={() => close(request)}>
            ✕
          </button>
        </p>
      ))}
      {shown.length > limit && <a href={hrefOf('power')}>{shown.length - limit} more</a>}
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

/** What is closed while it runs has its end shown, too. */
function keyOf({ at, where, endedAt }: CycleRequest): string {
  return `${at} ${where} ${endedAt ? 'ended' : 'running'}`;
}
