/**
 * A switch whose configuration is lines in sections: user mode, privileged mode, configuration mode, and what is typed
 * in the last changes what is in force. Prompts, refusals and further commands are in the models' files.
 */
import { type Command, type Found, findCommand } from './command-table.ts';
import { LineConfiguration, type LineStyle } from './line-configuration.ts';
import type { Pager, Terminal } from './terminal.ts';

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
  /** Where what this session types goes, where it is not what is in force. */
  target?(session: LineSession): LineConfiguration | undefined;
}

export type Refused = Exclude<Found<LineRun>, { kind: 'command' }>;

const CTRL_Z = '\x1a';

/** Talks until somebody leaves. */
export async function lineCli(session: LineSession, family: LineFamily): Promise<undefined> {
  const { terminal } = session;
  while (!session.isOver) {
    const typed = await family.readLine(session);
    const line = typed === CTRL_Z ? 'end' : typed;
    if (line.trim() === '' && !targetOf(session, family).isInFreeText) continue;
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
  const target = targetOf(session, family);
  const text = line.trim();
  if (!target.isInFreeText) {
    if (text === 'end' || (text === 'exit' && target.sections.length === 0)) {
      target.leave();
      session.mode = 'privileged';
      return '';
    }
    const found = findCommand(family.config, text.replace(/^do /, ''));
    if (found.kind === 'command') return await found.run(session, found.words);
    if (text !== 'exit' && !/^!/.test(text) && !target.knows(text)) {
      return family.refuse(session, line, { kind: 'invalid', column: line.search(/\S/) });
    }
  }
  terminal.session.act(() => {
    target.enter(line);
    if (target === settings.running) settings.changedAt = new Date();
  });
  return '';
}

function targetOf(session: LineSession, family: LineFamily): LineConfiguration {
  return family.target?.(session) ?? session.settings.running;
}

/** Commands that only change the mode. */
export function to(mode: LineMode, answer = ''): LineRun {
  return (session) => {
    session.mode = mode;
    return answer;
  };
}

/** `terminal length N`, which may have no effect. */
export function setPager(pager: Pager, said: (rows: number) => string = () => ''): LineRun {
  return ({ terminal }, words) => {
    const rows = Number(words[2]);
    if (terminal.session.faults.has('pager-stays')) return '';
    terminal.pager = rows === 0 ? undefined : { ...pager, rows };
    return said(rows);
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
