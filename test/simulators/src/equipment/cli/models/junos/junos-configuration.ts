/**
 * The configuration system of Junos: one active configuration, a candidate that all sessions share, earlier ones to roll back
 * to, and commits that undo themselves unless they are confirmed. It boots with the active one.
 */

import type { OwnAccounts } from '../../accounts.ts';
import type { Session } from '../../core.ts';
import { hashOf, isRight } from '../../switch/account-statements.ts';
import {
  deleteStatement,
  type JunosStatement,
  JunosSyntaxError,
  leafValue,
  parseJunos,
  printJunos,
  setCommands,
  setStatement,
} from './junos-tree.ts';

interface Committed {
  text: string;
  at: Date;
  by: string;
}

export class JunosConfiguration {
  /** The newest first: what is active, then what was before. */
  private readonly committed: Committed[];
  private candidate: JunosStatement[];
  private pending: { stop: () => void } | undefined;
  /** What it had at the start: with the password of the options. */
  private readonly first: string;

  constructor(text: string) {
    const at = new Date('2026-11-19T09:12:33Z');
    this.committed = [{ text: printJunos(parseJunos(text)), at, by: 'admin' }];
    this.candidate = parseJunos(text);
    this.first = text;
  }

  /** As in operational mode: lines that a fault adds are a comment, where they are printed as they are. */
  show(added: readonly string[] = []): string {
    const { text, at, by } = this.active();
    const comment =
      added.length === 0 ? '' : `/* Maintenance on Sunday:\n${added.join('\n')}\n*/\n`;
    const body = text.replace(/^(?=interfaces \{|system \{)/m, () => comment);
    return `## Last commit: ${stamp(at)} by ${by}\n${body}`;
  }

  showAsCommands(): string {
    return setCommands(parseJunos(this.active().text));
  }

  /** Of the candidate. */
  showCandidate(): string {
    const { at } = this.active();
    return `## Last changed: ${stamp(at)}\n${printJunos(this.candidate)}`;
  }

  /** Who may sign in, by what is active. */
  accounts(original: string | undefined): OwnAccounts {
    const hash = (text: string, user: string) =>
      leafValue(parseJunos(text), `system login user ${user} authentication encrypted-password`);
    return {
      opens: (user, given) =>
        isRight(given, {
          first: hash(this.first, user),
          now: hash(this.active().text, user),
          original,
        }),
    };
  }

  setPassword(user: string, password: string): void {
    const path = `system login user ${user} authentication encrypted-password`;
    this.set(`${path} "$6$${hashOf(password)}"`);
  }

  get hostName(): string {
    return leafValue(parseJunos(this.active().text), 'system host-name') ?? '';
  }

  history(): string {
    return this.committed
      .map(({ at, by }, index) => `${index}   ${stamp(at)} by ${by} via cli\n`)
      .join('');
  }

  get isChanged(): boolean {
    return printJunos(this.candidate) !== this.active().text;
  }

  /** `load override` of a text. The answer is its message. */
  load(text: string): string {
    try {
      this.candidate = parseJunos(text);
      return 'load complete\n';
    } catch (error) {
      if (!(error instanceof JunosSyntaxError)) throw error;
      return `terminal:${text.split('\n').length}:(0) ${error.message}\nload complete (1 errors)\n`;
    }
  }

  set(path: string): string {
    setStatement(this.candidate, path);
    return '';
  }

  delete(path: string): string {
    return deleteStatement(this.candidate, path) ? '' : 'warning: statement not found\n';
  }

  rollback(number: number): string {
    const earlier = this.committed[number];
    if (earlier === undefined) return `error: Could not find rollback ${number}\n`;
    this.candidate = parseJunos(earlier.text);
    return 'load complete\n';
  }

  /** @param minutes undone after so many, unless there is another commit */
  commit({ user: by, core }: Session, minutes?: number): void {
    this.pending?.stop();
    this.pending = undefined;
    const before = this.active();
    const text = printJunos(this.candidate);
    if (text !== before.text) this.committed.unshift({ text, at: new Date(), by });
    if (minutes === undefined) return;
    const stop = core.later(minutes * 60, () => {
      this.committed.unshift({ ...before, at: new Date(), by: 'root' });
      this.candidate = parseJunos(before.text);
      this.pending = undefined;
    });
    this.pending = { stop };
  }

  /** As after a power failure: what was not committed is gone, what was not confirmed is undone. */
  boot(): void {
    this.candidate = parseJunos(this.active().text);
  }

  private active(): Committed {
    const [first] = this.committed;
    if (first === undefined) throw new RangeError('nothing is committed');
    return first;
  }
}

/** `2026-11-19 09:12:33 UTC` */
function stamp(date: Date): string {
  return date.toISOString().replace('T', ' ').replace(/\..*$/, ' UTC');
}
