/** A graph with its own vertical axis, in a few lines of SVG. It shares the time axis with the rows above. */
import type { Curve } from '@skolo/api/machine-state';
import type { Scale } from './scale.ts';

const pad = 8;
/** After this many seconds without a point, the line is interrupted. */
const gapSeconds = 3600;

export function CurveLane({
  curve,
  scale,
  y,
  height,
  at,
}: {
  curve: Curve;
  scale: Scale;
  y: number;
  height: number;
  at: number | undefined;
}) {
  const { device, quantity, unit, points } = curve;
  const values = points.map(([, value]) => value);
  const [low, high] = unit === 'percent' ? [0, 100] : rangeOf(values);
  const yOf = (value: number) =>
    y + height - pad - ((value - low) / (high - low)) * (height - 2 * pad);
  const suffix = unit === 'percent' ? '%' : ' °C';
  // The heat of a phone follows its battery.
  const named = device === 'device' ? '' : device;
  const about = unit === 'percent' ? named : quantity.replaceAll('_', ' ');
  const near = at === undefined ? undefined : nearest(points, at / 1000);
  const last = near ?? points.at(-1);
  return (
    <g class={`curve u-${unit}`}>
      <text class="lane" x={0} y={y + 18}>
        {unit === 'percent' ? 'Battery' : 'Heat'}
      </text>
      <text class="value" x={0} y={y + 34}>
        {last ? `${last[1]}${suffix}` : 'no data'}
      </text>
      <text class="sensor" x={0} y={y + 47}>
        {about.slice(0, 16)}
      </text>
      <text class="limit" x={scale.end} y={yOf(high) + 4}>
        {high}
      </text>
      <text class="limit" x={scale.end} y={yOf(low)}>
        {low}
      </text>
      <path d={pathOf(points, scale, yOf)}>
        <title>{`${quantity} of ${device}`}</title>
      </path>
      {near && <circle cx={scale.x(near[0] * 1000)} cy={yOf(near[1])} r={3} />}
    </g>
  );
}

function pathOf(points: Curve['points'], scale: Scale, yOf: (value: number) => number): string {
  return points
    .map(([time, value], i) => {
      const before = points[i - 1];
      const command = !before || time - before[0] > gapSeconds ? 'M' : 'L';
      return `${command}${scale.x(time * 1000).toFixed(1)} ${yOf(value).toFixed(1)}`;
    })
    .join('');
}

/** A rounded range, wide enough that noise does not look like a change. */
function rangeOf(values: readonly number[]): [number, number] {
  if (values.length === 0) return [0, 50];
  const low = Math.floor(Math.min(...values) / 5) * 5;
  const high = Math.ceil(Math.max(...values) / 5) * 5;
  return high - low >= 10 ? [low, high] : [low - 5, low + 10];
}

function nearest(points: Curve['points'], seconds: number) {
  let best = points[0];
  for (const point of points) {
    if (best && Math.abs(point[0] - seconds) < Math.abs(best[0] - seconds)) best = point;
  }
  return best && Math.abs(best[0] - seconds) < gapSeconds ? best : undefined;
}
