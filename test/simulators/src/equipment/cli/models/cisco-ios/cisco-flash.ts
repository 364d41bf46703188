/**
 * Files of a Cisco switch in flash, and the Tcl shell that can write them: `tclsh`, as much of it as people paste to get a file
 * into a switch that has no other way. What is not Tcl is rejected here; a real one carries it out as a command.
 */
import type { Terminal } from '../../terminal.ts';

const CTRL_Z = '\x1a';

export class Flash {
  private readonly files = new Map<string, string>();

  /** Talks Tcl until `tclquit`. */
  async tclsh(terminal: Terminal, prompt: string): Promise<string> {
    const open = new Map<string, string>();
    for (;;) {
      const line = (await terminal.readLine(prompt)).trim();
      if (line === '') continue;
      if (['tclquit', 'exit', CTRL_Z].includes(line)) return '';
      terminal.session.log(line.startsWith('puts') ? 'puts' : line);
      const said = this.evaluate(line, open);
      if (said !== undefined) await terminal.answer(said);
    }
  }

  /** `more`. */
  show(terminal: Terminal, name: string): string {
    const text = this.files.get(name);
    if (text === undefined) return `%Error opening ${name} (File not found)\n`;
    return terminal.session.configuration(text);
  }

  /** `delete /force`. */
  remove(name: string): string {
    return this.files.delete(name) ? '' : `%Error deleting ${name} (No such file or directory)\n`;
  }

  /** The file that is to replace the configuration, or why not; in words of the command. */
  replacement(name: string): { text: string } | string {
    const text = this.files.get(name);
    if (text === undefined) return `%Error opening ${name} (No such file or directory)\n`;
    if (!/^end$/m.test(text)) return '%The input file is not a valid config file.\n';
    return { text };
  }

  private evaluate(line: string, open: Map<string, string>): string | undefined {
    const [, variable, path] = /^set (\w+) \[open "(flash:[\w./-]+)" w\]$/.exec(line) ?? [];
    if (variable !== undefined && path !== undefined) {
      open.set(variable, path);
      this.files.set(path, '');
      return 'file0\n';
    }
    const [, to = '', braces, quotes] =
      /^puts \$(\w+) (?:\{(.*)\}|"((?:[^"\\]|\\.)*)")$/.exec(line) ?? [];
    const file = open.get(to);
    if (file !== undefined) {
      const text = braces ?? quotes?.replace(/\\(.)/g, '$1') ?? '';
      this.files.set(file, `${this.files.get(file) ?? ''}${text}\n`);
      return undefined;
    }
    const [, closed] = /^close \$(\w+)$/.exec(line) ?? [];
    if (closed !== undefined && open.delete(closed)) return undefined;
    return `invalid command name "${line.split(' ', 1)[0]}"\n`;
  }
}
