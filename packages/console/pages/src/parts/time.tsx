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

const minuteMs = 60_000;

/** The current time, rounded down to the minute, so that tiles with an age render once a minute. */
export function useMinute(): number {
  return Math.floor(useNow() / minuteMs) * minuteMs;
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

/** Without the date if it is that of the heading. */
export function sameDay(time: string, timezone: string | undefined, day: string): string {
  const text = exact(time, timezone);
  return text.startsWith(day) ? text.slice(day.length + 1) : text;
}

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

/** A clock time that is further away also needs its date, even beside the hours since. */
const clockMs = 20 * 3_600_000;

/** The one form of a time in texts: its clock time in the rack's time zone, with its date unless that is obvious. */
export function moment(time: string, timezone: string | undefined): string {
  return exact(time, timezone, Math.abs(Date.now() - Date.parse(time)) > clockMs);
}

/** A point in time. */
export function At({ time }: { time: string }) {
  const timezone = useLive(({ rack }) => rack?.timezone);
  return (
    <time dateTime={time} title={`${exact(time, timezone)} ${timezone ?? ''}`}>
      {moment(time, timezone)}
    </time>
  );
}

/** When something began, and how long ago. */
export function Since({ time }: { time: string }) {
  const now = useNow();
  return (
    <>
      <At time={time} /> <span class="muted">· {span(now - Date.parse(time))}</span>
    </>
  );
}

/** When something ends, and how long until then. */
export function Until({ time }: { time: string | undefined }) {
  const now = useNow();
  if (time === undefined) return <>until someone ends it</>;
  const left = Date.parse(time) - now;
  if (left <= 0) return <>ended</>;
  return (
    <>
      until <At time={time} /> <span class="muted">· {span(left)}</span>
    </>
  );
}
