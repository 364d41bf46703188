/** What is where and what to try: the text that everybody sees first. */
import type { RunningService, Suggestion } from './services/service.ts';

export interface Row {
  name: string;
  url: string;
  note: string;
}

export interface Summary {
  title: string;
  rows: Row[];
  /** Sentences about this start. */
  notes: string[];
  suggestions: Suggestion[];
  /** The last lines. */
  closing: string[];
}

const rule = '─'.repeat(80);

/** Commands are never broken over lines: they are for pasting. */
export function summaryText({ title, rows, notes, suggestions, closing }: Summary): string {
  const widths = {
    name: Math.max(...rows.map(({ name }) => name.length)),
    url: Math.max(...rows.map(({ url }) => url.length)),
  };
  const table = rows.map(({ name, url, note }) =>
    `  ${name.padEnd(widths.name)}  ${url.padEnd(widths.url)}  ${note}`.trimEnd(),
  );
  const paragraphs = [
    [title, '', ...table],
    notes,
    ...suggestions.map(({ text, commands = [] }) => [text, ...commands.map((line) => `  ${line}`)]),
    closing,
  ];
  const body = paragraphs.filter((lines) => lines.length > 0).map((lines) => lines.join('\n'));
  return `\n${rule}\n${body.join('\n\n')}\n${rule}\n`;
}

export function serviceRow(
  name: string,
  { url, metricsUrl }: Pick<RunningService, 'url' | 'metricsUrl'>,
): Row {
  return { name, url, note: `metrics ${metricsUrl}/metrics` };
}
