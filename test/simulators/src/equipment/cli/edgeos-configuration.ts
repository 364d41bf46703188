/** The configuration system of EdgeOS, as far as it concerns PoE: sessions, commits and their lock. */
import type { Core } from './core.ts';
import type { Call, Output } from './shell.ts';

export interface EdgeosPort {
  /** What `poe output` may be beside `off`: `24v`, `24v-4pair`, `48v`, `pthru`, `auto`. None: the port has no PoE. */
  modes: readonly string[];
  /** In config.boot; `off` when absent. */
  saved?: string;
}

const vocabulary = ['off', '24v', '24v-4pair', '48v', 'auto', 'pthru'];

/** Changes that a session has asked for; undefined: the node is to go. */
type Session = Map<string, string | undefined>;

export class EdgeosConfiguration {
  private readonly core: Core;
  private readonly ports: Readonly<Record<string, EdgeosPort>>;
  private readonly sessions = new Map<string, Session>();
  private running = new Map<string, string>();
  private saved: Map<string, string>;

  constructor(core: Core, ports: Readonly<Record<string, EdgeosPort>>) {
    this.core = core;
    this.ports = ports;
    this.saved = new Map(
      Object.entries(ports).flatMap(([port, { saved }]) => (saved ? [[port, saved]] : [])),
    );
  }

  /** The committed value, or undefined where there is none. */
  active(port: string): string | undefined {
    return this.running.get(port);
  }

  /** Whether there is something to commit in that session. */
  isUncommitted(id: string): boolean {
    return (this.sessions.get(id)?.size ?? 0) > 0;
  }

  /** Whether a power failure would change anything. */
  isUnsaved(): boolean {
    return [...this.running, ...this.saved].some(
      ([port]) => this.running.get(port) !== this.saved.get(port),
    );
  }

  powerUp(): void {
    this.sessions.clear();
    this.running = new Map(this.saved);
    for (const port of Object.keys(this.ports)) this.power(port);
  }

  poeTable(): string {
    const rows = Object.entries(this.ports)
      .filter(([, { modes }]) => modes.length > 0)
      .map(([port]) => {
        const output = this.running.get(port) ?? 'off';
        const [volts] = /^\d+v/.exec(output) ?? [output === 'off' ? '-' : '24v'];
        return `${port.padEnd(9)}  ${output.padEnd(9)}  ${volts?.padEnd(7)}  disabled\n`;
      });
    const dashes = `${'-'.repeat(9)}  ${'-'.repeat(9)}  ${'-'.repeat(7)}  ${'-'.repeat(8)}\n`;
    return `Interface  Output     Voltage  Watchdog\n${dashes}${rows.join('')}`;
  }

  commands(): string {
    return Object.keys(this.ports)
      .flatMap((port) => {
        const path = `set interfaces ethernet ${port}`;
        const output = this.running.get(port);
        return [`${path} duplex auto\n`, ...(output ? [`${path} poe output ${output}\n`] : [])];
      })
      .join('');
  }

  /** vyatta-cfg-cmd-wrapper. */
  wrapper({ args: [verb = '', ...path], env, parent, terminal }: Call): Output {
    const id = env.CMD_WRAPPER_SESSION_ID ?? String(parent);
    if (verb === 'begin') {
      this.sessions.set(id, new Map());
      return {};
    }
    const session = this.sessions.get(id);
    if (!session) return { stdout: 'not in configuration session\n', status: 1 };
    switch (verb) {
      case 'end':
        this.sessions.delete(id);
        return {};
      case 'set':
        return this.set(session, path);
      case 'delete':
        return this.remove(session, path);
      case 'discard':
        session.clear();
        return {};
      case 'commit':
        return this.commit(session, (change) => terminal.session.act(change));
      case 'save':
        this.saved = new Map(this.running);
        return { stdout: "Saving configuration to '/config/config.boot'...\nDone\n" };
      default:
        return {
          stdout: `Invalid command "${verb}" for vyatta-cfg-cmd-wrapper\n`,
          status: 1,
        };
    }
  }

  private set(session: Session, path: readonly string[]): Output {
    const [, port = '', value = ''] =
      /^interfaces ethernet (\S+) poe output (\S+)$/.exec(path.join(' ')) ?? [];
    if (!this.ports[port]?.modes.length) {
      return {
        stdout: `\n  Configuration path: [${path.join(' ')}] is not valid\n  Set failed\n\n`,
        status: 1,
      };
    }
    if (!vocabulary.includes(value)) {
      return {
        stdout: `must be ${vocabulary.join(', ')}\n\nValue validation failed\nSet failed\n`,
        status: 1,
      };
    }
    const current = session.has(port) ? session.get(port) : this.running.get(port);
    if (current === value) {
      return { stdout: 'The specified configuration node already exists\n', status: 1 };
    }
    session.set(port, value);
    return {};
  }

  private remove(session: Session, path: readonly string[]): Output {
    const [, port = ''] = /^interfaces ethernet (\S+) poe( output)?$/.exec(path.join(' ')) ?? [];
    if (!this.running.has(port)) {
      return { stdout: 'Nothing to delete (the specified node does not exist)\n', status: 1 };
    }
    session.set(port, undefined);
    return {};
  }

  private commit(session: Session, act: (change: () => void) => void): Output {
    if (this.core.faults.has('busy')) {
      return {
        stdout: 'Configuration system temporarily locked due to another commit in progress\n',
        status: 1,
      };
    }
    if (session.size === 0) return { stdout: 'No configuration changes to commit\n' };
    for (const [port, value = 'off'] of session) {
      if (value === 'off' || this.ports[port]?.modes.includes(value)) continue;
      const node = `interfaces ethernet ${port} poe output ${value}`;
      return {
        stdout: `[ ${node} ]\n${value} is not supported on ${port}\n\nCommit failed\n`,
        status: 1,
      };
    }
    act(() => {
      for (const [port, value] of session) {
        if (value === undefined) this.running.delete(port);
        else this.running.set(port, value);
        this.power(port);
      }
    });
    session.clear();
    return {};
  }

  private power(port: string): void {
    const output = this.running.get(port) ?? 'off';
    if (output !== 'off') this.core.board.setMode(port, output);
    this.core.board.set(port, output !== 'off');
  }
}
