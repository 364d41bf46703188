/**
 * A switch whose configuration is lines in sections: user mode, privileged mode, configuration mode, and what is typed
 * in the last changes what is in force. Prompts, refusals and further commands are in the models' files.
 */
import { type Command, type Found, findCommand } from './command-table.ts';
import { LineConfiguration, type LineStyle } from './line-configuration.ts';
import type { Terminal } from './terminal.ts';

export type LineMode = 'user' | 'privileged' | 'config';

/** The configurations of a device. */
export class LineSettings {
  running: LineConfiguration;
  /** As it was when it was saved; undefined: never. */
  saved: { text: string; by: string } | undefined;
  changedAt: Date;
  savedAt: Date;
  private readonly style: LineStyle;
  private readonly known: string;

  /**
   * @param text what it has, running and saved; empty: as it comes from the factory
   * @param known text with all statements that it knows
   */
  constructor(style: LineStyle, text: string, known: string) {
    this.style = style;
    this.known = known;
    this.running = new LineConfiguration(style, text, known);
    this.saved = { text: this.running.print(), by: 'admin' };
    this.changedAt = new Date('2026-11-19T09:12:33Z');
    this.savedAt = new Date('2026-11-19T09:14:02Z');
  }

  enter(line: string): void {
    this.running.enter(line);
    this.changedAt = new Date();
  }

  save(by: string): void {
    this.saved = { text: this.running.print(), by };
    this.savedAt = new Date();
  }

  /** As when the power is gone. */
  boot(): void {
    this.running = new LineConfiguration(this.style, this.saved?.text ?? '', this.known);
  }
}

export interface LineSession {
  readonly terminal: Terminal;
  readonly settings: LineSettings;
  mode: LineMode;
  isOver: boolean;
}

export type LineRun = (session: LineSession, words: string[]) => string | Promise<string>;

export interface LineFamily {
  /** Asks for a line. */
  readLine(session: LineSession): Promise<string>;
  /** Commands outside of configuration mode. */
  user: readonly Command<LineRun>[];
  privileged: readonly Command<LineRun>[];
  /** Those of the configuration mode that are no statements. */
  config: readonly Command<LineRun>[];
  /** What is said to a line that is none. */
  refuse(session: LineSession, line: string, found: Refused): string;
  /** What is said when the configuration mode is left. */
  left?(session: LineSession): string;
}

export type Refused = Exclude<Found<LineRun>, { kind: 'command' }>;

const CTRL_Z = '\x1a';

/** Talks until somebody leaves. */
export async function lineCli(session: LineSession, family: LineFamily): Promise<undefined> {
  const { terminal } = session;
  while (!session.isOver) {
    const typed = await family.readLine(session);
    const line = typed === CTRL_Z ? 'end' : typed;
    if (line.trim() === '' && !session.settings.running.isInFreeText) continue;
    terminal.session.tell(line.trim());
    await terminal.answer(await carryOut(session, line, family));
  }
}

async function carryOut(session: LineSession, line: string, family: LineFamily): Promise<string> {
  if (session.mode === 'config') return await configure(session, line, family);
  return await run(session, line, family, family[session.mode]);
}

async function run(
  session: LineSession,
  line: string,
  family: LineFamily,
  commands: readonly Command<LineRun>[],
): Promise<string> {
  const found = findCommand(commands, line);
  if (found.kind === 'command') return await found.run(session, found.words);
  return family.refuse(session, line, found);
}

async function configure(session: LineSession, line: string, family: LineFamily): Promise<string> {
  const { settings, terminal } = session;
  const { running } = settings;
  const text = line.trim();
  if (!running.isInFreeText) {
    if (text === 'end' || (text === 'exit' && running.sections.length === 0)) {
      running.leave();
      session.mode = 'privileged';
      return family.left?.(session) ?? '';
    }
    if (text === 'exit') {
      running.enter(text);
      return '';
    }
    const found = findCommand(family.config, text.replace(/^do /, ''));
    if (found.kind === 'command') return await found.run(session, found.words);
    if (!running.knows(text) && !/^!/.test(text)) {
      return family.refuse(session, line, { kind: 'invalid', column: line.search(/\S/) });
    }
  }
  terminal.session.act(() => settings.enter(line));
  return '';
}

/** Commands that only change the mode. */
export function to(mode: LineMode, answer = ''): LineRun {
  return (session) => {
    session.mode = mode;
    return answer;
  };
}

export function leave(session: LineSession): string {
  session.isOver = true;
  return '';
}

/** `Fri Nov 20 10:00:00 2026`, as C's ctime() has it. */
export function ctime(date: Date): string {
  const [day, month, dayOfMonth, year, time] = date
    .toUTCString()
    .replace(/^(\w+), (\d+) (\w+) (\d+) ([\d:]+) GMT$/, '$1|$3|$2|$4|$5')
    .split('|');
  return `${day} ${month} ${Number(dayOfMonth).toString().padStart(2)} ${time} ${year}`;
}
