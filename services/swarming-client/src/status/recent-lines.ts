/**
 * Keeps the last log lines of agent and bot in memory, and decides how many: a Pi's SD card is no place for logs. There is no log file;
 * journald rotates its own (debian/settings.ts).
 */
import type { Clock, EventLog } from '@skolo/common/light';
import { z } from 'zod';
import { RepeatedErrors } from '../bot/repeated-errors.ts';
import type { AgentEvent } from '../events.ts';

/** The message of the bot's lines in the log. */
const botOutput = 'bot output';

interface RecentLine {
  /** Incremented with each line. */
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

  /** A line of the agent's own log, for people. The bot's lines are included already. */
  addLogged(json: string): void {
    const { level, time, msg, service: _, ...facts } = LogLine.parse(JSON.parse(json));
    if (msg === botOutput) return;
    const texts = Object.entries(facts).map(([key, value]) => `${key}=${textOf(value)}`);
    this.add('agent', [`${level}: ${msg}`, ...texts].join(' '), new Date(time));
  }

  /** The last ones, newest last. */
  last(count: number, after = -1): RecentLine[] {
    return this.lines.filter(({ number }) => number > after).slice(-count);
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' && /^[^\s"]+$/.test(value) ? value : JSON.stringify(value);
}

interface BotLinesDeps {
  lines: RecentLines;
  clock: Pick<Clock, 'now' | 'uptime'>;
  log: Pick<EventLog, 'info' | 'warn'>;
}

/** Consumes the bot's output: into the log and the recent lines, with repeated errors folded. */
export function collectBotLines({ lines, clock, log }: BotLinesDeps): (event: AgentEvent) => void {
  function add(level: 'info' | 'warn', text: string): void {
    lines.add('bot', text, new Date(clock.now()));
    log[level]({ line: text }, botOutput);
  }

  const errors = new RepeatedErrors({ clock, emit: (text) => add('warn', text) });
  return function keep(event) {
    if (event.type !== 'bot-line') return;
    if (event.stream === 'stderr') errors.add(event.text);
    else add('info', event.text);
  };
}
