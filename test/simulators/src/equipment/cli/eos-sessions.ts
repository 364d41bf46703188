/**
 * Configuration sessions of EOS: a candidate that begins as what is in force, or empty after `rollback clean-config`, and
 * takes its place as a whole. With `commit timer` it undoes itself unless it is confirmed in time.
 */
import type { Command } from './command-table.ts';
import type { Core } from './core.ts';
import type { LineRun, LineSession, LineSettings } from './line-cli.ts';
import { LineConfiguration, type LineStyle } from './line-configuration.ts';
import type { Terminal } from './terminal.ts';

interface Candidate {
  name: string;
  configuration: LineConfiguration;
}

export class EosSessions {
  readonly commands: Command<LineRun>[] = [
    { pattern: 'configure session <name>', run: (session, words) => this.begin(session, words) },
    {
      pattern: 'configure session <name> commit',
      run: (session, words) => this.confirm(session, words),
    },
  ];
  readonly commandsInside: Command<LineRun>[] = [
    { pattern: 'rollback clean-config', run: (session) => this.clean(session) },
    { pattern: 'commit', run: (session) => this.commit(session) },
    { pattern: 'commit timer <time>', run: (session, words) => this.commit(session, words[2]) },
    { pattern: 'abort', run: (session) => this.abort(session) },
  ];
  private readonly core: Core;
  private readonly settings: LineSettings;
  private readonly style: LineStyle;
  private readonly known: string;
  private readonly candidates = new Map<Terminal, Candidate>();
  /** Committed, and not yet confirmed. */
  private pending: { name: string; stop: () => void } | undefined;

  constructor(core: Core, settings: LineSettings, style: LineStyle, known: string) {
    this.core = core;
    this.settings = settings;
    this.style = style;
    this.known = known;
  }

  /** What is typed here goes there; undefined: into what is in force. */
  target(terminal: Terminal): LineConfiguration | undefined {
    return this.candidates.get(terminal)?.configuration;
  }

  nameOf(terminal: Terminal): string | undefined {
    return this.candidates.get(terminal)?.name;
  }

  private begin(session: LineSession, words: string[]): string {
    const configuration = this.copy(this.settings.running.print());
    this.candidates.set(session.terminal, { name: words[2] ?? '', configuration });
    session.mode = 'config';
    return '';
  }

  private clean({ terminal }: LineSession): string {
    const candidate = this.candidates.get(terminal);
    if (candidate === undefined) return "% Invalid input (at token 0: 'rollback')\n";
    candidate.configuration = this.copy('');
    return '';
  }

  private commit(session: LineSession, time?: string): string {
    const { terminal } = session;
    const candidate = this.candidates.get(terminal);
    if (candidate === undefined) return "% Invalid input (at token 0: 'commit')\n";
    this.candidates.delete(terminal);
    session.mode = 'privileged';
    const before = this.settings.running;
    terminal.session.act(() => {
      candidate.configuration.leave();
      this.settings.running = candidate.configuration;
      this.settings.changedAt = new Date();
    });
    if (time === undefined) return '';
    const [hours = 0, minutes = 0, seconds = 0] = time.split(':').map(Number);
    const stop = this.core.later(hours * 3600 + minutes * 60 + seconds, () => {
      this.settings.running = before;
      this.pending = undefined;
    });
    this.pending = { name: candidate.name, stop };
    return '';
  }

  private confirm(_session: LineSession, words: string[]): string {
    if (this.pending?.name !== words[2])
      return `% No pending commit timer for session ${words[2]}\n`;
    this.pending?.stop();
    this.pending = undefined;
    return '';
  }

  private abort(session: LineSession): string {
    this.candidates.delete(session.terminal);
    session.mode = 'privileged';
    return '';
  }

  private copy(text: string): LineConfiguration {
    return new LineConfiguration(this.style, text, this.known);
  }
}
