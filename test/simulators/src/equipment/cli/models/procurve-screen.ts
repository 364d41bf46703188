/**
 * How a ProCurve uses the terminal: everything is painted on line 24, which is scrolled, wiped and painted again, over
 * ssh as on the console. The sequences are those of a session with an HP 2620 that a user recorded (prompt, keys, questions, Enter)
 * and of the example that the tests of several tools share (the screen before the first prompt). Over ssh a finished line is
 * scrolled with ESC E, as Oxidized and netmiko know it; on the console by deleting and inserting lines.
 */
import type { Terminal } from '../terminal.ts';

const bottom = '\x1b[24;1H';
const at = (column: number) => `\x1b[24;${column}H`;
const region = '\x1b[1;24r';
const wipe = `${region}${bottom}${bottom}\x1b[2K${bottom}\x1b[?25h${bottom}${bottom}`;

export const procurvePager = {
  text: `${bottom}-- MORE --, next page: Space, next line: Enter, quit: Control-C${at(64)}`,
  erase: `${bottom}\x1b[2K${bottom}${region}${bottom}`,
  rows: 21,
};

type Scrolls = 'next-line' | 'delete-and-insert';

export class ProcurveScreen {
  private static readonly all = new WeakMap<Terminal, ProcurveScreen>();
  private readonly terminal: Terminal;
  /** How lines are scrolled up. */
  private readonly scroll: string;
  private column = 1;

  /** That of a terminal. */
  static of(terminal: Terminal, scrolls: Scrolls): ProcurveScreen {
    const screen = ProcurveScreen.all.get(terminal) ?? new ProcurveScreen(terminal, scrolls);
    ProcurveScreen.all.set(terminal, screen);
    return screen;
  }

  private constructor(terminal: Terminal, scrolls: Scrolls) {
    this.terminal = terminal;
    this.scroll =
      scrolls === 'next-line' ? `\x1b[24;0H\x1bE${bottom}` : `\x1b[1;0H\x1b[1M${bottom}\x1b[1L`;
    terminal.screen.echo = (line) => {
      const column = this.column + line.length;
      return `${at(column - 1)}${line.slice(-1)}${at(column - 1)}\x1b[?25h${at(column)}`;
    };
    terminal.screen.entered = (line) => {
      const column = at(this.column + line.length);
      return `${this.scroll}${column}${bottom}\x1b[2K${bottom}\x1b[?25h${bottom}${region}${bottom}`;
    };
  }

  /** The first screen, and the key that it waits for. */
  async welcome(text: string): Promise<void> {
    const { terminal } = this;
    terminal.put(`\x1b[2J\x1b[?7l\x1b[3;23r\x1b[?6l\x1b[1;1H\x1b[?25l\x1b[1;1H${text}`);
    await terminal.readAnyKey(`\x1b[23;1HPress any key to continue\x1b[23;1H\x1b[?25h\x1b[23;27H`);
    const home = `\x1b[1;24r\x1b[?7l\x1b[2J\x1b[1;1H\x1b[1920;1920H\x1b[6n\x1b[1;1H`;
    terminal.put(`\x1b[?6l${home}`);
  }

  async readLine(prompt: string): Promise<string> {
    const { terminal } = this;
    this.column = prompt.length + 1;
    const after = at(this.column);
    terminal.session.core.prompt = prompt;
    terminal.put(`${wipe}${prompt}${bottom}${after}${bottom}\x1b[?25h${after}`);
    return await terminal.readLine('');
  }

  /** A question at sign-in or `enable`; `isHidden` for passwords. */
  async ask(question: string, isHidden: boolean): Promise<string> {
    const { terminal } = this;
    this.column = question.length + 1;
    const after = at(this.column);
    terminal.put(
      `${region}${bottom}${bottom}${question}\x1b[?25h${bottom}\x1b[?25h${after}${after}\x1b[?25h${after}`,
    );
    return isHidden ? await terminal.readPassword('', 'none') : await terminal.readLine('');
  }
}
