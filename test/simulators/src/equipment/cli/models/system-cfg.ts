/**
 * The configuration of Ubiquiti's small Linux devices: `/tmp/system.cfg`, keys and values, which `cfgmtd` keeps in flash. What
 * is in the file is in effect once it has been applied, or the device has started anew.
 */
import type { Core } from '../core.ts';
import type { Program } from '../unix/box.ts';
import type { MadeFile } from '../unix/shell-files.ts';

export class SystemCfg {
  private readonly core: Core;
  private saved: string;
  private file: string;

  constructor(core: Core, text: string) {
    this.core = core;
    this.saved = text;
    this.file = text;
  }

  powerUp(): void {
    this.file = this.saved;
  }

  /** /tmp/system.cfg, with what a fault adds to it. */
  running(): string {
    return this.file + this.added();
  }

  /** What is kept in flash. */
  startup(): string {
    return this.saved + this.added();
  }

  made(): MadeFile {
    return {
      read: () => this.running(),
      write: (text) => {
        this.file = text;
      },
    };
  }

  /** `cfgmtd -w -p /etc/` keeps the file, `cfgmtd -r` gets it back. */
  cfgmtd: Program = ({ args, terminal }) => {
    if (args.includes('-w')) {
      terminal.session.act(() => {
        this.saved = this.file;
      });
      return { stdout: 'Storing Active[1] ... [%100]\nStoring Backup[2] ... [%100]\n' };
    }
    return args.includes('-r') ? {} : { stderr: 'Usage: cfgmtd -w|-r [-p prefix]\n', status: 1 };
  };

  private added(): string {
    return this.core
      .addedLines()
      .map((line) => `# ${line}\n`)
      .join('');
  }
}
