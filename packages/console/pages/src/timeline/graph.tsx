import type { Timeline } from '@skolo/api/timeline';
import { useState } from 'preact/hooks';
import { useLive } from '../live/store.ts';
import { type Scale, scaleOf, ticksOf } from '../machine/scale.ts';
import { exact } from '../parts/time.tsx';
import { useWidth } from '../parts/width.ts';

const margin = 34;
const height = 96;
const base = height - 20;
/** Shorter movements are clicks. */
const leastDrag = 6;

interface Props {
  timeline: Timeline;
  /** Dragging selects a range, in milliseconds since 1970. */
  onRange(from: number, to: number): void;
}

/** The number of unhealthy machines, hatched where a service was down. */
export function Graph({ timeline, onRange }: Props) {
  const [box, width] = useWidth();
  const [drag, setDrag] = useState<{ from: number; to: number }>();
  const [at, setAt] = useState<number>();
  const timezone = useLive(({ rack }) => rack?.timezone);
  const { unhealthy } = timeline;
  const [from, to] = [Date.parse(timeline.since), Date.parse(timeline.until)];
  const scale = scaleOf(from, to, margin, Math.max(margin + 50, width - 4));
  const most = Math.max(4, ...unhealthy.map(([, count]) => count));
  const yOf = (count: number) => base - (count / most) * (base - 8);
  const steps = unhealthy.map(
    ([seconds, count]) => `H${scale.x(seconds * 1000).toFixed(1)}V${yOf(count)}`,
  );
  const countAt = (time: number) => unhealthy.findLast(([seconds]) => seconds * 1000 <= time)?.[1];

  function onEnd() {
    setDrag(undefined);
    if (!drag || Math.abs(drag.to - drag.from) < leastDrag) return;
    const [start, end] = [drag.from, drag.to].sort((a, b) => a - b).map(scale.timeAt);
    onRange(Math.max(from, start ?? from), Math.min(to, end ?? to));
  }

  return (
    <div class="timeline graph" ref={box}>
      {width > 0 && (
        <svg
          width={width}
          height={height}
          role="img"
          aria-label={`Unhealthy machines, at most ${Math.max(0, ...unhealthy.map(([, n]) => n))}; the list below contains the events`}
          onPointerDown={({ offsetX }) => setDrag({ from: offsetX, to: offsetX })}
          onPointerMove={({ offsetX }) => {
            setAt(offsetX > margin ? scale.timeAt(offsetX) : undefined);
            if (drag) setDrag({ ...drag, to: offsetX });
          }}
          onPointerUp={onEnd}
          onPointerLeave={() => {
            setDrag(undefined);
            setAt(undefined);
          }}
        >
          <pattern id="hatch" width={6} height={6} patternUnits="userSpaceOnUse">
            <path class="hatching" d="M0 6L6 0" />
          </pattern>
          {ticksOf(from, to, timezone, width).map(({ time, text }) => (
            <g key={time}>
              <line class="grid" x1={scale.x(time)} x2={scale.x(time)} y1={0} y2={base} />
              <text class="tick" x={scale.x(time)} y={height - 5}>
                {text}
              </text>
            </g>
          ))}
          <Downs timeline={timeline} scale={scale} />
          <path class="area" d={`M${margin} ${base}${steps.join('')}H${scale.end}V${base}Z`} />
          {[0, most].map((count) => (
            <text key={count} class="lane" x={0} y={yOf(count) + 4}>
              {count}
            </text>
          ))}
          {drag && (
            <rect
              class="selected"
              x={Math.min(drag.from, drag.to)}
              width={Math.abs(drag.to - drag.from)}
              height={base}
            />
          )}
          {at !== undefined && (
            <g class="cursor">
              <line x1={scale.x(at)} x2={scale.x(at)} y1={0} y2={base} />
              <text x={scale.x(at)} y={height - 5}>
                {`${exact(at, timezone, to - from > 86_400_000)}: ${countAt(at) ?? 0}`}
              </text>
            </g>
          )}
        </svg>
      )}
    </div>
  );
}

function Downs({ timeline: { rows, until }, scale }: { timeline: Timeline; scale: Scale }) {
  return rows
    .filter(({ kind }) => kind === 'down')
    .map(({ at, endedAt = until, text }) => {
      const [x, end] = [scale.x(Date.parse(at)), scale.x(Date.parse(endedAt))];
      return (
        <rect
          key={`${at} ${text}`}
          fill="url(#hatch)"
          x={x}
          width={Math.max(2, end - x)}
          height={base}
        >
          <title>{text}</title>
        </rect>
      );
    });
}
