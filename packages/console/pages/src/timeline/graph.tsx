import type { Timeline, TimelineRow } from '@skolo/api/timeline';
import type { Scale } from '../machine/scale.ts';
import { TimeAxis } from '../machine/time-axis.tsx';

const margin = 54;
const base = 76;
const laneHeight = 15;

/** Below the curve, in the order in which one looks for a cause. `quarantined` and `down` are in the curve. */
const lanes: readonly [string, readonly TimelineRow['kind'][]][] = [
  ['silent', ['silent']],
  ['acts', ['cycle', 'order']],
  ['changes', ['configuration', 'rack-file', 'rollout', 'change']],
  ['alerts', ['alert']],
  ['people', ['hold', 'on-it', 'note', 'sign-in']],
];

interface Props {
  timeline: Timeline;
  /** A click or tap on a time, in milliseconds since 1970. */
  onPick(time: number): void;
}

/** The number of unhealthy machines, hatched where a service was down, and what happened meanwhile. */
export function Graph({ timeline, onPick }: Props) {
  const { unhealthy, since, until, rows } = timeline;
  const highest = Math.max(0, ...unhealthy.map(([, count]) => count));
  const most = Math.max(4, highest);
  const yOf = (count: number) => base - (count / most) * (base - 8);
  const countAt = (time: number) => unhealthy.findLast(([seconds]) => seconds * 1000 <= time)?.[1];
  return (
    <TimeAxis
      from={Date.parse(since)}
      to={Date.parse(until)}
      label={`Unhealthy machines, at most ${highest}; the list below contains the events`}
      height={base + lanes.length * laneHeight + 26}
      margin={margin}
      textAt={(time) => `: ${countAt(time) ?? 0}`}
      onPick={onPick}
    >
      {(scale) => (
        <>
          <pattern id="hatch" width={6} height={6} patternUnits="userSpaceOnUse">
            <path class="hatching" d="M0 6L6 0" />
          </pattern>
          <Marks timeline={timeline} scale={scale} kinds={['down']} y={0} height={base} />
          <path class="area" d={`M${margin} ${base}${stepsOf(unhealthy, scale, yOf)}V${base}Z`} />
          {[0, most].map((count) => (
            <text key={count} class="limit" x={margin - 6} y={yOf(count) + 4}>
              {count}
            </text>
          ))}
          {lanes.map(([title, kinds], i) => {
            const y = base + 6 + i * laneHeight;
            const hasAny = rows.some(({ kind }) => kinds.includes(kind));
            return (
              <g key={title} class={hasAny ? `l-${title}` : 'empty-lane'}>
                <text class="lane" x={0} y={y + 11}>
                  {title}
                </text>
                <Marks timeline={timeline} scale={scale} kinds={kinds} y={y + 2} height={10} />
              </g>
            );
          })}
        </>
      )}
    </TimeAxis>
  );
}

function stepsOf(unhealthy: Timeline['unhealthy'], { x, end }: Scale, yOf: (n: number) => number) {
  const steps = unhealthy.map(([time, count]) => `H${x(time * 1000).toFixed(1)}V${yOf(count)}`);
  return `${steps.join('')}H${end}`;
}

function Marks({
  timeline: { rows, until },
  scale,
  kinds,
  y,
  height,
}: {
  timeline: Timeline;
  scale: Scale;
  kinds: readonly TimelineRow['kind'][];
  y: number;
  height: number;
}) {
  return rows
    .filter(({ kind }) => kinds.includes(kind))
    .map(({ at, endedAt, until: due, text, where, kind }) => {
      const lasts = due ?? (kind === 'down' || kind === 'silent');
      const end = endedAt ?? (lasts ? until : at);
      const x = scale.x(Date.parse(at));
      return (
        <rect
          key={`${at} ${text}`}
          {...(kind === 'down' ? { fill: 'url(#hatch)' } : { class: 'mark' })}
          x={x}
          y={y}
          width={Math.max(3, scale.x(Date.parse(end)) - x)}
          height={height}
        >
          <title>{where ? `${text}: ${where}` : text}</title>
        </rect>
      );
    });
}
