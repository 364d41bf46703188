/**
 * The configuration system of Vyatta's descendants: what runs, what is saved, sessions that change it, commits and their lock,
 * commits that undo themselves.
 *
 * What it prints is from the source of vyatta-cfg and vyatta-config-mgmt, and from sessions of users. `save` writes what
 * `cli-shell-api showConfig` shows, and the versions behind it. A commit that is not confirmed in time puts back the saved
 * configuration, as it was when that commit began, and reboots.
 */

import type { Core } from '../../core.ts';
import type { Terminal } from '../../terminal.ts';
import type { Call, Output } from '../../unix/box.ts';
import { differenceOf } from './vyatta-difference.ts';
import {
  copyVyatta,
  deleteVyatta,
  parseVyatta,
  type Quotes,
  renderVyatta,
  setVyatta,
  type VyattaItem,
  VyattaSyntaxError,
  vyattaValue,
} from './vyatta-tree.ts';

export interface VyattaHooks {
  /** Before a path is set: why it cannot be. */
  checkSet?(path: readonly string[]): Output | undefined;
  /** Before a commit: why it fails. */
  checkCommit?(next: readonly VyattaItem[]): string | undefined;
  /** Another configuration is in effect. */
  changed?(items: readonly VyattaItem[]): void;
  /** A file of the device. */
  readFile(path: string): string | undefined;
  /** The device starts anew. */
  reboot(): void;
}

export interface VyattaWords {
  /** Asked by `commit-confirm`; a line that begins with `y` or is empty goes on. */
  proceed(minutes: number): string;
  /** Whether it takes a key, or a line. */
  takesKey: boolean;
  /** Said when it has been scheduled. */
  scheduled(minutes: number): string;
  /** In what it shows, and in what it saves. */
  quotes: { shown: Quotes; saved: Quotes };
}

const bootFile = '/config/config.boot';

export class VyattaConfiguration {
  readonly commits: { at: number; user: string }[] = [];
  private readonly core: Core;
  private readonly hooks: VyattaHooks;
  private readonly words: VyattaWords;
  private readonly sessions = new Map<string, VyattaItem[]>();
  private readonly footer: string;
  private items: VyattaItem[] = [];
  private saved: string;
  private confirm: { stop(): void } | undefined;

  /** @param text what is saved when it starts, with the versions at its end */
  constructor(core: Core, text: string, words: VyattaWords, hooks: VyattaHooks) {
    this.core = core;
    this.words = words;
    this.hooks = hooks;
    this.footer = parseVyatta(text).footer;
    this.saved = text;
  }

  powerUp(): void {
    this.sessions.clear();
    this.confirm?.stop();
    this.confirm = undefined;
    this.items = parseVyatta(this.saved).items;
    this.hooks.changed?.(this.items);
  }

  /** What is active, in braces, with what a fault adds to it. */
  running(): string {
    return renderVyatta(this.withAdded(this.items), this.words.quotes.shown);
  }

  /** What is saved: /config/config.boot. */
  boot(): string {
    return `${renderVyatta(this.withAdded([]), this.words.quotes.saved)}${this.saved}`;
  }

  /** Somebody writes to the file. */
  writeBoot(text: string): void {
    this.saved = text;
  }

  get tree(): readonly VyattaItem[] {
    return this.withAdded(this.items);
  }

  value(...path: string[]): string | undefined {
    return vyattaValue(this.items, path);
  }

  /** Whether there is something to commit in that session. */
  isUncommitted(id: string): boolean {
    const session = this.sessions.get(id);
    return session !== undefined && !isSame(session, this.items);
  }

  /** Whether a power failure would change anything. */
  isUnsaved(): boolean {
    const saved = parseVyatta(this.saved).items;
    return !isSame(saved, this.items);
  }

  /** vyatta-cfg-cmd-wrapper, and the commands of configuration mode. */
  async wrapper(call: Call): Promise<Output> {
    const [verb = '', ...path] = call.args;
    const id = call.env.CMD_WRAPPER_SESSION_ID ?? String(call.parent);
    if (verb === 'begin') {
      this.sessions.set(id, copyVyatta(this.items));
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
        return deleteVyatta(session, path)
          ? {}
          : { stdout: 'Nothing to delete (the specified node does not exist)\n', status: 1 };
      case 'discard':
        this.sessions.set(id, copyVyatta(this.items));
        return {};
      case 'load':
        return await this.load(id, path[0] ?? bootFile, call.terminal);
      case 'commit':
        return this.commit(session, call.terminal);
      case 'save':
        call.terminal.session.act(() => {
          this.saved = `${renderVyatta(this.items, this.words.quotes.saved)}${this.footer}`;
        });
        return { stdout: "Saving configuration to '/config/config.boot'...\nDone\n" };
      case 'show':
        return { stdout: renderVyatta(session) };
      default:
        return {
          stdout: `Invalid command "${verb}" for vyatta-cfg-cmd-wrapper\n`,
          status: 1,
        };
    }
  }

  compare(id: string): string {
    const difference = differenceOf(this.items, this.sessions.get(id) ?? this.items);
    return difference === ''
      ? 'No changes between working and active configurations\n'
      : difference;
  }

  /** Commits, and puts back what is saved now, unless that is confirmed within so many minutes. */
  async commitConfirm(id: string, minutes: number, terminal: Terminal): Promise<Output> {
    const { words } = this;
    if (this.confirm) return { stdout: 'Another confirm is pending\n' };
    if (!(Number(this.value('system', 'config-management', 'commit-revisions')) > 0)) {
      return { stdout: 'commit-revisions is not configured.\n\n', status: 1 };
    }
    if (!Number.isInteger(minutes)) return { stdout: 'Invalid number\n', status: 1 };
    const question = words.proceed(minutes);
    const answer = words.takesKey
      ? await terminal.readKey(question)
      : await terminal.readLine(question);
    if (!/^(y|\r|\n|$)/i.test(answer)) return { stdout: 'commit-confirm canceled\n', status: 1 };
    const before = this.saved;
    const stop = this.core.later(minutes * 60, () => {
      this.confirm = undefined;
      this.saved = before;
      this.hooks.reboot();
    });
    this.confirm = { stop };
    const session = this.sessions.get(id);
    const { stdout = '', ...rest } = session ? this.commit(session, terminal) : {};
    return { stdout: `${words.scheduled(minutes)}${stdout}`, ...rest };
  }

  confirmed(): Output {
    if (!this.confirm) return { stdout: 'No confirm pending\n' };
    this.confirm.stop();
    this.confirm = undefined;
    return {};
  }

  get isConfirmPending(): boolean {
    return this.confirm !== undefined;
  }

  /** With what a fault adds. */
  private withAdded(items: readonly VyattaItem[]): readonly VyattaItem[] {
    const lines = this.core.addedLines();
    if (lines.length === 0) return items;
    const children = lines.map((line) => ({
      words: ['description', `"${line}"`],
      comments: [],
    }));
    return [{ words: ['custom-attribute', 'added'], comments: [], children }, ...items];
  }

  private set(session: VyattaItem[], path: readonly string[]): Output {
    const rejected = this.hooks.checkSet?.(path);
    if (rejected) return rejected;
    switch (setVyatta(session, path)) {
      case 'set':
        return {};
      case 'exists':
        return { stdout: 'The specified configuration node already exists\n', status: 1 };
      case 'invalid':
        return notValid(path);
    }
  }

  private async load(id: string, given: string, terminal: Terminal): Promise<Output> {
    const path = given.startsWith('/') ? given : `/config/${given}`;
    const text = this.hooks.readFile(path);
    if (text === undefined) {
      return {
        stdout: `Cannot open configuration file ${path}: No such file or directory\n`,
        status: 1,
      };
    }
    if (!/vyatta-config-version|vyos-config-version/.test(text)) {
      terminal.put('Warning: file does NOT appear to be a valid config file.\n');
      const answer = await terminal.readLine('Do you want to continue? ');
      if (!/^y/i.test(answer)) return { stdout: 'Configuration not loaded\n', status: 1 };
    }
    const loading = `Loading configuration from '${path}'...\n`;
    try {
      const { items } = parseVyatta(text);
      this.sessions.set(id, items);
      return this.isUncommitted(id)
        ? { stdout: `${loading}\nLoad complete.  Use 'commit' to make changes active.\n` }
        : { stdout: `${loading}No configuration changes to commit\n` };
    } catch (error) {
      if (!(error instanceof VyattaSyntaxError)) throw error;
      return {
        stdout: `${loading}syntax error at ${error.message}\nFailed to parse specified config file\n`,
        status: 1,
      };
    }
  }

  private commit(session: VyattaItem[], terminal: Terminal): Output {
    if (this.core.faults.has('busy')) {
      return {
        stdout: 'Configuration system temporarily locked due to another commit in progress\n',
        status: 1,
      };
    }
    if (isSame(session, this.items)) {
      return { stdout: 'No configuration changes to commit\n' };
    }
    const why = this.hooks.checkCommit?.(session);
    if (why !== undefined) return { stdout: `${why}\n\nCommit failed\n`, status: 1 };
    terminal.session.act(() => {
      this.items = copyVyatta(session);
      this.commits.unshift({ at: Date.now(), user: terminal.session.user });
      this.hooks.changed?.(this.items);
    });
    return {};
  }
}

function isSame(a: readonly VyattaItem[], b: readonly VyattaItem[]): boolean {
  return renderVyatta(a, 'needed') === renderVyatta(b, 'needed');
}

export function notValid(path: readonly string[]): Output {
  return {
    stdout: `\n  Configuration path: [${path.join(' ')}] is not valid\n  Set failed\n\n`,
    status: 1,
  };
}
