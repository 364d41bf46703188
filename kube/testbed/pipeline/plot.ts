/** A chart of lines as SVG, for a page and for a Markdown file. */

interface Point {
  x: number;
  y: number;
  /** The ends of a bar that shows the spread. */
  low?: number;
  high?: number;
}

interface Axis {
  label: string;
  scale: 'linear' | 'log';
}

interface Chart {
  title: string;
  x: Axis;
  y: Axis;
  series: readonly { name: string; points: readonly Point[] }[];
  /** Dashed lines. */
  marks?: readonly { axis: 'x' | 'y'; at: number; name: string }[];
}

const width = 720;
const height = 400;
const frame = { left: 70, right: 20, top: 40, bottom: 50 };
/** Told apart by people who do not see all colours: the palette of Okabe and Ito. */
const colours = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9'];

export function drawChart({ title, x, y, series, marks = [] }: Chart): string {
  const points = series.flatMap((each) => each.points);
  const marked = (axis: 'x' | 'y') =>
    marks.filter((each) => each.axis === axis).map(({ at }) => at);
  const across = scaleOf(x.scale, [...points.map((point) => point.x), ...marked('x')], {
    from: frame.left,
    to: width - frame.right,
  });
  const up = scaleOf(
    y.scale,
    [
      ...points.flatMap((point) => [point.y, point.low ?? point.y, point.high ?? point.y]),
      ...marked('y'),
    ],
    { from: height - frame.bottom, to: frame.top },
  );
  const [left, right] = [frame.left, width - frame.right];
  const [top, bottom] = [frame.top, height - frame.bottom];
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12" role="img">`,
    `<title>${escapeXml(title)}</title>`,
    `<rect width="${width}" height="${height}" fill="white"/>`,
    text(width / 2, 20, title, 'text-anchor="middle" font-size="15"'),
    ...across.ticks.flatMap((value) => [
      line(across.at(value), top, across.at(value), bottom, 'stroke="#ddd"'),
      text(across.at(value), bottom + 16, shortNumber(value), 'text-anchor="middle"'),
    ]),
    ...up.ticks.flatMap((value) => [
      line(left, up.at(value), right, up.at(value), 'stroke="#ddd"'),
      text(left - 6, up.at(value) + 4, shortNumber(value), 'text-anchor="end"'),
    ]),
    line(left, bottom, right, bottom, 'stroke="black"'),
    line(left, top, left, bottom, 'stroke="black"'),
    text((left + right) / 2, height - 12, x.label, 'text-anchor="middle"'),
    text(
      0,
      0,
      y.label,
      `text-anchor="middle" transform="translate(16 ${(top + bottom) / 2}) rotate(-90)"`,
    ),
    ...marks.flatMap(({ axis, at, name }) =>
      axis === 'x'
        ? [
            line(across.at(at), top, across.at(at), bottom, dashed),
            text(across.at(at) + 4, top + 12, name, 'fill="#555"'),
          ]
        : [
            line(left, up.at(at), right, up.at(at), dashed),
            text(right - 4, up.at(at) - 4, name, 'fill="#555" text-anchor="end"'),
          ],
    ),
    ...series.flatMap((each, index) => drawSeries(each, index, { across, up })),
    '</svg>',
  ].join('\n')}\n`;
}

/** Its points with their ranges, the line through them, and its entry in the legend. */
function drawSeries(
  { name, points: own }: Chart['series'][number],
  index: number,
  { across, up }: { across: Scale; up: Scale },
): string[] {
  const { left, top } = frame;
  const colour = colours[index % colours.length] ?? 'black';
  const path = own.map((point) => `${round(across.at(point.x))},${round(up.at(point.y))}`);
  return [
    ...own.map(({ x: at, y: value, low = value, high = value }) =>
      line(
        across.at(at),
        up.at(low),
        across.at(at),
        up.at(high),
        `stroke="${colour}" stroke-opacity="0.5" stroke-width="3"`,
      ),
    ),
    `<polyline points="${path.join(' ')}" fill="none" stroke="${colour}" stroke-width="2"/>`,
    ...own.map(
      (point) =>
        `<circle cx="${round(across.at(point.x))}" cy="${round(up.at(point.y))}" r="3" fill="${colour}"/>`,
    ),
    line(
      left + 10,
      top + 12 + index * 16,
      left + 30,
      top + 12 + index * 16,
      `stroke="${colour}" stroke-width="2"`,
    ),
    text(left + 36, top + 16 + index * 16, name, ''),
  ];
}

const dashed = 'stroke="#555" stroke-dasharray="5 4"';

interface Scale {
  at(value: number): number;
  ticks: number[];
}

function scaleOf(
  kind: Axis['scale'],
  values: readonly number[],
  { from, to }: { from: number; to: number },
): Scale {
  const usable = values.filter(
    (value) => Number.isFinite(value) && (kind === 'linear' || value > 0),
  );
  const most = Math.max(...usable, kind === 'log' ? 1 : 0);
  if (kind === 'linear') {
    const step = niceStep(most / 5 || 0.2);
    const end = Math.ceil(most / step) * step || step;
    const ticks = Array.from({ length: Math.round(end / step) + 1 }, (_, index) => index * step);
    return { at: (value) => from + ((to - from) * value) / end, ticks };
  }
  const least = Math.min(...usable, most);
  const low = Math.floor(Math.log10(least));
  const high = Math.max(low + 1, Math.ceil(Math.log10(most)));
  const ticks = Array.from({ length: high - low + 1 }, (_, index) => 10 ** (low + index));
  const share = (value: number) => (Math.log10(Math.max(value, 10 ** low)) - low) / (high - low);
  return { at: (value) => from + (to - from) * share(value), ticks };
}

/** 1, 2 or 5 times a power of ten. */
function niceStep(atLeast: number): number {
  const power = 10 ** Math.floor(Math.log10(atLeast));
  return ([1, 2, 5].find((factor) => factor * power >= atLeast) ?? 10) * power;
}

function line(x1: number, y1: number, x2: number, y2: number, style: string): string {
  return `<line x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}" ${style}/>`;
}

function text(x: number, y: number, content: string, style: string): string {
  return `<text x="${round(x)}" y="${round(y)}" ${style}>${escapeXml(content)}</text>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function shortNumber(value: number): string {
  return value === 0 ? '0' : String(Number(value.toPrecision(3)));
}

function escapeXml(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
