import type { Timeline } from '@skolo/api/timeline';
import type { Scale } from '../machine/scale.ts';
import { TimeAxis } from '../machine/time-axis.tsx';

const margin = 34;
const height = 96;
const base = height - 20;

interface Props {
  timeline: Timeline;
  /** A click or tap on a time, in milliseconds since 1970. */
  onPick(time: number): void;
}

/** The number of unhealthy machines, hatched where a service was down. */
export function Graph({ timeline, onPick }: Props) {
  const { unhealthy, since, until } = timeline;
  const highest = Math.max(0, ...unhealthy.map(([, count]) => count));
  const most = Math.max(4, highest);
  const yOf = (count: number) => base - (count / most) * (base - 8);
  const countAt = (time: number) => unhealthy.findLast(([seconds]) => seconds * 1000 <= time)?.[1];
  return (
    <TimeAxis
      from={Date.parse(since)}
      to={Date.parse(until)}
      label={`Unhealthy machines, at most ${highest}; the list below contains the events`}
      height={height}
      margin={margin}
      textAt={(time) => `: ${countAt(time) ?? 0}`}
      onPick={onPick}
    >
      {(scale) => (
        <>
          <pattern id="hatch" width={6} height={6} patternUnits="userSpaceOnUse">
            <path class="hatching" d="M0 6L6 0" />
          </pattern>
          <Downs timeline={timeline} scale={scale} />
          <path class="area" d={`M${margin} ${base}${stepsOf(unhealthy, scale, yOf)}V${base}Z`} />
          {[0, most].map((count) => (
            <text key={count} class="lane" x={0} y={yOf(count) + 4}>
              {count}
            </text>
          ))}
        </>
      )}
    </TimeAxis>
  );
}

function stepsOf(unhealthy: Timeline['unhealthy'], { x, end }: Scale, yOf: (n: number) => number) {
  const steps = unhealthy.map(([time, count]) => `H${x(time * 1000).toFixed(1)}V${yOf(count)}`);
  return `${steps.join('')}H${end}`;
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
