/** Time on a horizontal axis. */

export interface Scale {
  end: number;
  x(time: number): number;
  timeAt(x: number): number;
}

export function scaleOf(from: number, to: number, start: number, end: number): Scale {
  const perMs = (end - start) / (to - from);
  return {
    end,
    x: (time) => Math.min(end, Math.max(start, start + (time - from) * perMs)),
    timeAt: (x) => from + (x - start) / perMs,
  };
}

const minute = 60_000;
const steps = [10, 30, 60, 180, 360, 720, 1440, 2 * 1440, 7 * 1440, 14 * 1440].map(
  (n) => n * minute,
);
/** A label has about this many pixels. */
const labelWidth = 80;

/** Round times with their labels. */
export function ticksOf(from: number, to: number, timezone: string | undefined, width: number) {
  const most = Math.max(2, width / labelWidth);
  const step = steps.find((each) => (to - from) / each <= most) ?? 30 * 1440 * minute;
  const options: Intl.DateTimeFormatOptions =
    step < 1440 * minute
      ? { hour: '2-digit', minute: '2-digit', hour12: false }
      : { day: 'numeric', month: 'short' };
  const format = new Intl.DateTimeFormat('en-GB', {
    ...options,
    ...(timezone && { timeZone: timezone }),
  });
  const offset = offsetOf(from, timezone);
  const ticks: { time: number; text: string }[] = [];
  for (let time = Math.ceil((from + offset) / step) * step - offset; time < to; time += step) {
    ticks.push({ time, text: format.format(time) });
  }
  return ticks;
}

/** The time zone's offset from UTC, so that ticks are at full hours and midnights in the rack's time zone. */
function offsetOf(time: number, timezone: string | undefined): number {
  if (timezone === undefined) return -new Date(time).getTimezoneOffset() * minute;
  const text = new Date(time).toLocaleString('sv-SE', { timeZone: timezone });
  return Date.parse(`${text.replace(' ', 'T')}Z`) - Math.floor(time / 1000) * 1000;
}
