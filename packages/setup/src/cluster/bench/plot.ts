/** A plot of a run beside earlier ones, as SVG: a bar for each figure, and the spread of earlier runs across it. */
import type { Compared } from './runs.ts';

const rowHeight = 18;
const left = 250;
const width = 420;
const right = 150;
const headHeight = 26;

export function plotOf(title: string, figures: readonly Compared[]): string {
  const groups = Map.groupBy(figures, ({ name, unit }) => `${name}, ${unit}`);
  const parts: string[] = [];
  let y = 44;
  for (const [head, rows] of groups) {
    const most = Math.max(...rows.flatMap(({ value, earlier }) => [value, earlier?.most ?? 0]));
    const scale = (value: number) => (most === 0 ? 0 : (value / most) * width);
    const better = rows[0]?.better === 'higher' ? 'higher is better' : 'lower is better';
    parts.push(text(12, y + 14, `${head} (${better})`, 'bold'));
    y += headHeight - 4;
    for (const { where, value, earlier, verdict } of rows) {
      const middle = y + rowHeight / 2;
      const colour = verdict === 'worse' ? '#c0392b' : verdict === 'better' ? '#2e8b57' : '#4a7ab5';
      parts.push(
        text(24, middle + 4, where),
        `<rect x="${left}" y="${y + 3}" width="${fixed(scale(value))}" height="${rowHeight - 6}" fill="${colour}"/>`,
        text(left + scale(value) + 6, middle + 4, short(value)),
      );
      if (earlier !== undefined) {
        const [from, to] = [left + scale(earlier.least), left + scale(earlier.most)];
        const mid = left + scale(earlier.median);
        parts.push(
          `<path d="M${fixed(from)} ${middle}H${fixed(to)}M${fixed(mid)} ${y + 1}v${rowHeight - 2}" stroke="#222" fill="none"/>`,
        );
      }
      y += rowHeight;
    }
    y += 6;
  }
  const total = left + width + right;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${total}" height="${y + 10}" viewBox="0 0 ${total} ${y + 10}" font-family="sans-serif" font-size="12">
<rect width="100%" height="100%" fill="#fff"/>
${text(12, 22, title, 'bold')}
${parts.join('\n')}
</svg>
`;
}

function text(x: number, y: number, content: string, weight = 'normal'): string {
  const escaped = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return `<text x="${fixed(x)}" y="${fixed(y)}" font-weight="${weight}">${escaped}</text>`;
}

function fixed(value: number): string {
  return value.toFixed(1);
}

/** Three digits that count. */
export function short(value: number): string {
  if (value === 0) return '0';
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(Math.min(3, digits));
}

const eighths = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/** A bar of characters, for a terminal. */
export function barOf(value: number, most: number, cells = 16): string {
  const all = most === 0 ? 0 : Math.round((value / most) * cells * 8);
  return '█'.repeat(Math.floor(all / 8)) + (eighths[all % 8] ?? '');
}
