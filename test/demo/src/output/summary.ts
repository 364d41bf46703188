/** The addresses and what to try: the text that is printed first. */

import type { RunningService, Suggestion } from '../services/service.ts';
import { coloured } from './colour.ts';

interface Row {
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

/** Commands are never split over lines: they are for pasting. */
export function summaryText(summary: Summary, colour: boolean): string {
  const { title, rows, notes, suggestions, closing } = summary;
  const strong = (text: string) => (colour ? coloured('bold', text) : text);
  const widths = {
    name: Math.max(...rows.map(({ name }) => name.length)),
    url: Math.max(...rows.map(({ url }) => url.length)),
  };
  const table = rows.map(({ name, url, note }) =>
    `  ${name.padEnd(widths.name)}  ${url.padEnd(widths.url)}  ${note}`.trimEnd(),
  );
  const paragraphs = [
    [strong(title), '', ...table],
    notes,
    ...suggestions.map(({ text, commands = [] }) => [
      text,
      ...commands.map((command) => `  ${strong(command)}`),
    ]),
    closing,
  ];
  const body = paragraphs.filter((lines) => lines.length > 0).map((lines) => lines.join('\n'));
  return `\n${rule}\n${body.join('\n\n')}\n${rule}\n`;
}

export function serviceRow(
  name: string,
  { url, metricsUrl }: Pick<RunningService, 'url' | 'metricsUrl'>,
): Row {
  return { name, url, note: `${metricsUrl}/metrics` };
}
