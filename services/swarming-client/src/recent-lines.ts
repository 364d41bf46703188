/** The last lines of agent and bot, in memory: a Pi's SD card is not for logs. */

import { z } from 'zod';

/** The message under which lines of the bot are in the log. */
export const botSays = 'bot says';

export interface RecentLine {
  /** Grows by one with each line. */
  number: number;
  at: Date;
  from: 'agent' | 'bot';
  text: string;
}

const mostLines = 1000;
const mostCharacters = 256 * 1024;
const longest = 2000;

/** A line of the agent's log: JSON, as pino writes it. */
const LogLine = z.looseObject({ level: z.string(), time: z.string(), msg: z.string() });

export class RecentLines {
  private readonly lines: RecentLine[] = [];
  private characters = 0;
  private next = 0;

  add(from: RecentLine['from'], text: string, at: Date): void {
    const kept = text.length > longest ? `${text.slice(0, longest)} …` : text;
    this.lines.push({ number: this.next, at, from, text: kept });
    this.next += 1;
    this.characters += kept.length;
    while (this.lines.length > mostLines || this.characters > mostCharacters) {
      this.characters -= this.lines.shift()?.text.length ?? 0;
    }
  }

  /** A line of the agent's own log, in words. What the bot says is there already. */
  addLogged(json: string): void {
    const { level, time, msg, service: _, ...facts } = LogLine.parse(JSON.parse(json));
    if (msg === botSays) return;
    const words = Object.entries(facts).map(([key, value]) => `${key}=${wordOf(value)}`);
    this.add('agent', [`${level}: ${msg}`, ...words].join(' '), new Date(time));
  }

  /** The last ones, the newest last. */
  last(count: number, after = -1): RecentLine[] {
    return this.lines.filter(({ number }) => number > after).slice(-count);
  }
}

function wordOf(value: unknown): string {
  return typeof value === 'string' && /^[^\s"]+$/.test(value) ? value : JSON.stringify(value);
}
