/**
 * Files of a Cisco switch in flash, and the Tcl shell that can write them: `tclsh`, as much of it as people paste to get a file
 * into a switch that has no other way. What is not Tcl is refused here; a real one carries it out as a command.
 */
import type { Terminal } from './terminal.ts';

const CTRL_Z = '\x1a';

export class Flash {
  readonly files = new Map<string, string>();

  /** Talks Tcl until `tclquit`. */
  async tclsh(terminal: Terminal, prompt: string): Promise<string> {
    const open = new Map<string, string>();
    for (;;) {
      const line = (await terminal.readLine(prompt)).trim();
      if (line === '') continue;
      if (['tclquit', 'exit', CTRL_Z].includes(line)) return '';
      terminal.session.tell(line.startsWith('puts') ? 'puts' : line);
      const said = this.evaluate(line, open);
      if (said !== undefined) await terminal.answer(said);
    }
  }

  private evaluate(line: string, open: Map<string, string>): string | undefined {
    const [, variable, path, mode] =
      /^set (\w+) \[open "?(flash:[\w./-]+)"? ([wa])\+?\]$/.exec(line) ?? [];
    if (variable !== undefined && path !== undefined) {
      open.set(variable, path);
      this.files.set(path, mode === 'a' ? (this.files.get(path) ?? '') : '');
      return 'file0\n';
    }
    const [, to = '', braces, quotes, bare] =
      /^puts \$(\w+) (?:\{(.*)\}|"((?:[^"\\]|\\.)*)"|(\S+))$/.exec(line) ?? [];
    const file = open.get(to);
    if (file !== undefined) {
      const text = braces ?? quotes?.replace(/\\(.)/g, '$1') ?? bare ?? '';
      this.files.set(file, `${this.files.get(file) ?? ''}${text}\n`);
      return undefined;
    }
    const [, closed] = /^close \$(\w+)$/.exec(line) ?? [];
    if (closed !== undefined && open.delete(closed)) return undefined;
    return `invalid command name "${line.split(' ', 1)[0]}"\n`;
  }
}
