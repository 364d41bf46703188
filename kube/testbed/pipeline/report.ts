/** An analysis as files for people: Markdown, a page, two plots. Pure. */
import type { Analysis } from './analysis.ts';
import { type Change, enoughRuns, type Level, type Spread } from './compare.ts';
import { drawChart } from './plot.ts';

/** A run of the pipeline, as it is kept in result.json. */
export interface Result extends Analysis {
  run: string;
  /** RFC 3339, UTC. */
  startedAt: string;
  /** What was measured: an image by digest, or a URL. */
  subject: string;
  /** The sender: architecture and processors. */
  sender: string;
  /** Names of the runs that it is compared with, the oldest first. */
  baseline: string[];
  /** Against these runs, at the rates that they have. */
  changes: Change[];
}

/** @returns content by file name */
export function reportFiles(result: Result): Record<string, string> {
  const markdown = markdownOf(result);
  const plots = plotsOf(result);
  return {
    'result.json': `${JSON.stringify(result, undefined, 2)}\n`,
    'report.md': markdown,
    ...plots,
    'index.html': pageOf(
      `Run ${result.run}`,
      `<p><a href="../index.html">all runs</a></p>\n${Object.values(plots).join('')}<pre>${escapeHtml(markdown)}</pre>`,
    ),
  };
}

/** The page that lists runs, the newest first. */
export function listPage(results: readonly Result[]): string {
  const rows = results
    .toSorted((a, b) => (a.startedAt < b.startedAt ? 1 : -1))
    .map(
      ({ run, startedAt, knee, saturation, changes }) =>
        `<tr><td><a href="${encodeURIComponent(run)}/index.html">${escapeHtml(run)}</a></td><td>${escapeHtml(startedAt)}</td><td>${knee ?? 'none'}</td><td>${Math.round(saturation)}</td><td>${new Set(changes.filter(({ verdict }) => verdict === 'worse').map(({ rate }) => rate)).size}</td></tr>`,
    );
  return pageOf(
    'Performance of the demo',
    `<table><tr><th>run</th><th>started</th><th>meets the objective up to, 1/s</th><th>most answered, 1/s</th><th>rates that are worse</th></tr>\n${rows.join('\n')}\n</table>`,
  );
}

export function markdownOf(result: Result): string {
  const { run, startedAt, subject, sender, objective, levels, knee, saturation } = result;
  const promise = `p99 of at most ${objective.p99Ms} ms and ${100 * objective.answeredShare}% of the requests answered`;
  return `${[
    `# Run ${run}`,
    '',
    `${startedAt}, ${subject}, measured from ${sender}.`,
    '',
    knee === undefined
      ? `The service does not meet the objective (${promise}) even at ${levels[0]?.rate ?? 0} requests a second.`
      : `The service meets the objective (${promise}) up to ${knee} requests a second.`,
    `It answered at most ${saturation.toFixed(0)} requests a second.`,
    '',
    'Latencies count from when a request was due. Each figure is the median of all rounds, with the lowest and the highest.',
    '',
    '| rate, 1/s | answered, 1/s | p50, ms | p90, ms | p99, ms | longest, ms | failed | objective |',
    '| ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |',
    ...levels.map(rowOf),
    ...comparisonOf(result),
  ].join('\n')}\n`;
}

function rowOf(level: Level): string {
  const { rate, achieved, p50Ms, p90Ms, p99Ms, maxMs, failedPercent, meetsObjective } = level;
  const cells = [
    rate,
    spreadText(achieved),
    ...[p50Ms, p90Ms, p99Ms, maxMs].map(spreadText),
    `${failedPercent.median.toFixed(1)}%`,
    meetsObjective ? 'met' : 'missed',
  ];
  return `| ${cells.join(' | ')} |`;
}

function comparisonOf({ changes, baseline }: Result): string[] {
  if (baseline.length === 0) return ['', 'There is no earlier run to compare with.'];
  const few =
    baseline.length < enoughRuns
      ? ` There are fewer than ${enoughRuns}, so only large changes are found.`
      : '';
  return [
    '',
    `Compared with ${baseline.join(', ')}.${few} A figure is worse if it leaves the range of these runs by more than chance explains, twice.`,
    '',
    '| rate, 1/s | figure | before | now | verdict |',
    '| ---: | --- | ---: | ---: | --- |',
    ...changes.map(
      ({ rate, figure, unit, before, after, verdict }) =>
        `| ${rate} | ${figure}, ${unit} | ${spreadText(before)} | ${spreadText(after)} | ${verdict} |`,
    ),
  ];
}

/** `p50 at 50 requests a second: 32.5 ms (median of 10 rounds), and 1.5 (1.4–1.7) ms before` */
export function changeText({ rate, figure, unit, before, after }: Change): string {
  const now = `${Number(after.median.toPrecision(3))} ${unit} (median of ${after.values.length} rounds)`;
  return `${figure} at ${rate} requests a second: ${now}, and ${spreadText(before)} ${unit} before`;
}

function spreadText({ low, median, high }: Spread): string {
  const [from, middle, to] = [low, median, high].map((value) => Number(value.toPrecision(3)));
  return from === to ? `${middle}` : `${middle} (${from}–${to})`;
}

function plotsOf({ levels, objective, knee }: Result): Record<string, string> {
  const points = (value: (level: Level) => Spread) =>
    levels.map((level) => {
      const { low, median, high } = value(level);
      return { x: level.rate, y: median, low, high };
    });
  const x = { label: 'requests a second', scale: 'log' } as const;
  const kneeMark =
    knee === undefined ? [] : [{ axis: 'x', at: knee, name: 'objective met' } as const];
  return {
    'latency.svg': drawChart({
      title: 'Latency by rate',
      x,
      y: { label: 'latency, ms', scale: 'log' },
      series: [
        { name: 'p50', points: points(({ p50Ms }) => p50Ms) },
        { name: 'p90', points: points(({ p90Ms }) => p90Ms) },
        { name: 'p99', points: points(({ p99Ms }) => p99Ms) },
      ],
      marks: [{ axis: 'y', at: objective.p99Ms, name: 'objective of p99' }, ...kneeMark],
    }),
    'throughput.svg': drawChart({
      title: 'Answered requests by rate',
      x,
      y: { label: 'answered in a second', scale: 'log' },
      series: [
        { name: 'answered', points: points(({ achieved }) => achieved) },
        { name: 'sent', points: levels.map(({ rate }) => ({ x: rate, y: rate })) },
      ],
      marks: kneeMark,
    }),
  };
}

function pageOf(title: string, body: string): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${escapeHtml(title)}</title>
<style>body{font-family:sans-serif;margin:2em;max-width:60em}td,th{padding:.2em .8em;text-align:left}svg{max-width:100%}pre{white-space:pre-wrap}</style></head>
<body><h1>${escapeHtml(title)}</h1>
${body}
</body></html>
`;
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
