/** Relative times; hovering shows the exact time in the rack's time zone. */
import { clockIn } from '@skolo/api/timeline-text';
import { useEffect, useState } from 'preact/hooks';
import { useLive } from '../live/store.ts';

const everyMs = 10_000;

/** The current time in milliseconds since 1970; updates every ten seconds. */
export function useNow(): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, []);
  return now;
}

/** `12 s`, `3 min`, `5 h`, `2 d`. */
export function span(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.round(minutes / 60);
  return hours < 36 ? `${hours} h` : `${Math.round(hours / 24)} d`;
}

export function shortSpan(ms: number): string {
  return span(ms).replace(' min', 'm').replace(' ', '');
}

export function exact(
  time: string | number,
  timezone: string | undefined,
  withDate = true,
): string {
  const clock = clocks.get(timezone) ?? clockIn(timezone);
  clocks.set(timezone, clock);
  const { day, time: hours, offset } = clock(time);
  // When summer time ends, an hour has two offsets.
  const isOther = offset !== clock(Date.now()).offset;
  return [withDate && day, hours, isOther && offset].filter(Boolean).join(' ');
}

const clocks = new Map<string | undefined, ReturnType<typeof clockIn>>();

/** How long ago a time is. */
export function Ago({ time, suffix = '' }: { time: string | undefined; suffix?: string }) {
  const now = useNow();
  const timezone = useLive(({ rack }) => rack?.timezone);
  if (time === undefined) return <span class="muted">–</span>;
  return (
    <time
      dateTime={time}
      // Lazily: a page's first format takes as long as drawing a hundred tiles.
      onPointerEnter={({ currentTarget }) => {
        currentTarget.title = `${exact(time, timezone)} ${timezone ?? ''}`;
      }}
    >
      {span(now - Date.parse(time))}
      {suffix}
    </time>
  );
}

/** A point in time, in the rack's time zone. */
export function At({ time }: { time: string }) {
  const timezone = useLive(({ rack }) => rack?.timezone);
  return (
    <time dateTime={time} title={timezone ?? ''}>
      {exact(time, timezone)}
    </time>
  );
}

/** A clock time that is older also needs its date, even beside the hours since. */
const clockMs = 20 * 3_600_000;

/** When something began: its clock time, or its date if that is long ago, and how long ago. */
export function Since({ time }: { time: string }) {
  const now = useNow();
  const timezone = useLive(({ rack }) => rack?.timezone);
  const ms = now - Date.parse(time);
  const text = ms < clockMs ? exact(time, timezone, false) : exact(time, timezone).slice(0, 16);
  return (
    <time dateTime={time} title={`${exact(time, timezone)} ${timezone ?? ''}`}>
      {text} <span class="muted">· {span(ms)}</span>
    </time>
  );
}

/** How long until a time. */
export function Until({ time }: { time: string | undefined }) {
  const now = useNow();
  const timezone = useLive(({ rack }) => rack?.timezone);
  if (time === undefined) return <>until someone ends it</>;
  const left = Date.parse(time) - now;
  return (
    <time dateTime={time} title={exact(time, timezone)}>
      {left > 0 ? `for ${span(left)} more` : 'ended'}
    </time>
  );
}
