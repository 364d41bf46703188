/** How people's power cycles end: on every page, until somebody in this browser has read it. */
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
  const [read, setRead] = useState<readonly string[]>(storedKeys);
  const unread = requests.filter((each) => !read.includes(keyOf(each)));
  if (unread.length === 0) return null;
  function markRead(some: readonly CycleRequest[]) {
    const known = new Set(requests.map(keyOf));
    const next = [...read.filter((key) => known.has(key)), ...some.map(keyOf)];
    localStorage.setItem(storedAs, JSON.stringify(next));
    setRead(next);
  }
  const others = unread.slice(limit);
  return (
    <section class="strip" aria-label="Power cycles">
      {unread.slice(0, limit).map((request, i) => (
        <p key={request.id} role="status" class={isBad(request) ? 'banner bad' : 'banner'}>
          {textOf(request)}{' '}
          <a
            href={hrefOf('power', [], { by: request.by, at: request.requestedAt })}
            onClick={() => markRead([request])}
          >
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

const titles = { cycle: 'Power cycle of', on: 'Turning on', off: 'Turning off' };

/** `Power cycle of 12 by ann (no ssh): 9 back, 2 running, 1 failed` */
function textOf({ action, target, targets, by, reason, running, ended }: CycleRequest): string {
  const parts = ended.map((each) => `${each.targets} ${each.outcome.replaceAll('-', ' ')}`);
  if (running > 0) parts.splice(1, 0, `${running} running`);
  return `${titles[action]} ${target ?? targets} by ${by} (${reason}): ${parts.join(', ')}`;
}

function isBad({ ended }: CycleRequest): boolean {
  return ended.some(({ outcome }) => outcome === 'failed' || outcome === 'stuck-off');
}

/** What is read while it runs has its end shown, too. */
function keyOf({ id, running }: CycleRequest): string {
  return `${id} ${running === 0 ? 'ended' : 'running'}`;
}

function storedKeys(): string[] {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(storedAs) ?? '[]');
    return Array.isArray(stored) ? stored.map(String) : [];
  } catch {
    return [];
  }
}
