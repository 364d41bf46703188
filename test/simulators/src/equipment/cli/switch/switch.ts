/** A switch: its configuration and its outlets, as its model has them. */
import { OutletBoard } from '../../device.ts';
import { Core, type ReplayingDevice, type Session } from '../core.ts';
import type { CliModel } from '../model.ts';
import type { SignInWords } from '../sign-in.ts';
import { startCliDevice } from '../start.ts';
import type { Terminal } from '../terminal.ts';
import { encodeText } from '../text-bytes.ts';
import { isRight, keptLine, statementIn } from './account-statements.ts';
import { LineConfiguration, type LineStyle } from './line-configuration.ts';
import type { About, SwitchModel, SwitchOptions, SwitchPower, Talk } from './model.ts';
import { placeOf, runCommand, talkTo } from './talk.ts';

const noPower: SwitchPower = {
  ports: [],
  section: () => [],
  statement: '',
  usual: '',
  off: '',
  watts: 0,
};

const noLines: LineStyle = { indent: 0, sections: [], single: [], comment: /^$/ };

/** The device behind all of its sessions. */
export class Switch {
  readonly model: SwitchModel;
  readonly core: Core;
  readonly options: SwitchOptions;
  running: LineConfiguration;
  /** Its configuration, where that is no {@link LineConfiguration}. */
  text: string;
  changedAt = new Date('2026-11-19T09:12:33Z');
  changedBy = 'admin';
  savedAt = new Date('2026-11-19T09:14:02Z');
  savedBy = 'admin';
  saved: string;
  /** Whether something was changed since, as the switch sees it. */
  isUnsaved = false;
  /** Ports that have just been turned on, and have not found a machine yet. */
  readonly searching = new Set<string>();
  private readonly resets = new Map<string, () => void>();
  /** What it had at the start: with the passwords of the options. */
  private readonly first: string;

  constructor(model: SwitchModel, core: Core, options: SwitchOptions) {
    this.model = model;
    this.core = core;
    this.options = options;
    this.text = options.configuration ?? model.example ?? '';
    this.running = this.lines(model.style && this.text);
    this.saved = this.active;
    this.first = this.saved;
  }

  get host(): string {
    return /^hostname "?([^"\n]*)/m.exec(this.active)?.[1] ?? this.model.hostName;
  }

  /** What is active, as it is printed. */
  private get active(): string {
    return this.model.style ? this.running.print() : this.text;
  }

  /** A configuration that knows what the model knows. */
  lines(text?: string): LineConfiguration {
    const { style = noLines, example, known = example, accounts } = this.model;
    const kept = accounts && { kept: (line: string) => keptLine(line, accounts) };
    return new LineConfiguration({ ...style, ...kept }, text, known);
  }

  /** Whether a password is that of an active statement. Undefined: the model has no such statements. */
  opens(password: string, statement: RegExp | undefined, original: string | undefined) {
    if (statement === undefined) return undefined;
    const first = statementIn(this.first, statement);
    const now = statementIn(this.running.print(), statement);
    return isRight(password, { first, now, original });
  }

  save(by: string): void {
    this.saved = this.active;
    this.savedBy = by;
    this.isUnsaved = false;
    this.savedAt = new Date();
  }

  changed(by: string): void {
    this.changedAt = new Date();
    this.changedBy = by;
    this.isUnsaved = true;
  }

  /** As when the power is gone. */
  boot(): void {
    this.running = this.lines(this.model.style && this.saved);
    this.text = this.saved;
    this.isUnsaved = false;
    this.resets.clear();
    this.applyPower();
    this.searching.clear();
    this.model.boot?.(this);
  }

  /** What the configuration says of a port. */
  powerMode(port: string): string {
    const { section, statement, usual } = this.power;
    return this.running.value(statement, section(port)) ?? usual;
  }

  /** Somebody sets the mode of ports. */
  setPower(session: Session, ports: readonly string[], mode: string): void {
    const { section, statement, usual } = this.power;
    session.act(() => {
      for (const port of ports) {
        const isUsual = this.powerMode(port) === usual;
        if (mode !== usual) this.running.enterAt(section(port), `${statement} ${mode}`);
        else if (!isUsual) this.running.enterAt(section(port), `no ${statement}`);
      }
      this.changed(session.user);
      this.applyPower(ports);
    });
  }

  /** Ports are off, until the switch's own timer ends. What is configured stays. */
  resetPower(session: Session, ports: readonly string[], seconds: number): void {
    session.act(() => {
      // Nothing differs, and yet Fastpath asks whether to save: seen by users.
      this.isUnsaved = true;
      for (const port of ports) {
        if (this.powerMode(port) === this.power.off) continue;
        this.resets.get(port)?.();
        this.core.board.set(this.outlet(port), false);
        this.resets.set(
          port,
          this.core.later(seconds, () => this.applyPower([port])),
        );
      }
    });
  }

  /** Ports become what the configuration says. */
  applyPower(ports = this.power.ports): void {
    const { board } = this.core;
    for (const port of ports) {
      const [mode, outlet] = [this.powerMode(port), this.outlet(port)];
      const isOn = mode !== this.power.off;
      this.resets.get(port)?.();
      this.resets.delete(port);
      if (isOn) board.setMode(outlet, mode);
      if (isOn && !board.isOn(outlet)) this.search(port);
      board.set(outlet, isOn);
    }
  }

  outlet(port: string): string {
    return this.power.outlet?.(port) ?? port;
  }

  private search(port: string): void {
    const { detectionSeconds = 0 } = this.power;
    if (detectionSeconds === 0) return;
    this.searching.add(port);
    this.core.later(detectionSeconds, () => this.searching.delete(port));
  }

  get power(): SwitchPower {
    return this.model.power ?? noPower;
  }

  /** A text with its values. */
  fill(template: string, more: Readonly<Record<string, string>> = {}, talk?: Talk): string {
    return template.replace(
      /\{(\w+)\}/g,
      (whole, name: string) => more[name] ?? this.value(name, { talk, text: more.text }) ?? whole,
    );
  }

  show(which: 'running' | 'startup'): string {
    const { body = '{text}', banner, running, startup } = this.model;
    const added = this.core.addedLines();
    const plain = which === 'running' ? this.active : this.saved;
    const hasBanner = added.length > 0 && (which === 'running' || banner?.isSaved === true);
    const text =
      banner && hasBanner
        ? plain.replace(banner.at, () => this.fill(banner.text, { added: added.join('\n') }))
        : plain;
    const filled = this.fill(body, { text });
    const bytes = String(encodeText(filled).length);
    return this.fill(which === 'running' ? running : startup, { body: filled, bytes, text });
  }

  private value(name: string, about: About): string | undefined {
    const { model } = this;
    const { talk } = about;
    const time = model.time ?? ctime;
    const own = model.values?.[name];
    if (own) return own(this, about);
    switch (name) {
      case 'host':
        return this.host;
      case 'serial':
        return this.options.serial ?? model.serial;
      case 'now':
        return time(new Date());
      case 'changed':
        return time(this.changedAt);
      case 'changedBy':
        return this.changedBy;
      case 'saved':
        return time(this.savedAt);
      case 'savedBy':
        return this.savedBy;
      case 'running':
        return this.show('running');
      case 'startup':
        return this.show('startup');
      case 'place':
        return talk && placeOf(talk);
      case 'user':
        return talk?.terminal.session.user;
      default:
        return undefined;
    }
  }
}

/** The outlets of a switch, all off. */
export function boardOf(power: SwitchPower = noPower): OutletBoard {
  const { ports, outlet, usual, watts } = power;
  const state = { on: false, mode: usual, watts };
  return new OutletBoard(ports.map((port) => [outlet?.(port) ?? port, { ...state }]));
}

/** Puts one on the network. */
export async function startSwitch(
  model: SwitchModel,
  options: SwitchOptions,
): Promise<ReplayingDevice> {
  const board = model.board ?? boardOf(model.power);
  const core = new Core({ board, ...options, configurationWords: model.logs });
  const device = new Switch(model, core, options);
  const words: SignInWords = {
    before: '',
    user: 'login: ',
    password: 'Password: ',
    wrong: '\nLogin incorrect\n\n',
    hidden: 'none' as const,
    tries: 3,
    ...model.words,
  };
  const { name, ident, plainName, exec, maxSessions = Number.POSITIVE_INFINITY } = model;
  const cli: CliModel = {
    name,
    core,
    ...(ident !== undefined && { ident }),
    ...(plainName && { plainName }),
    ...(model.logged && { logged: model.logged }),
    opens: (user, given) => device.opens(given, model.accounts?.user(user), options.password),
    ...(exec && {
      exec: (terminal: Terminal, command: string) => runCommand(device, terminal, command, exec),
    }),
    signIn: model.signIn ?? ['publickey', 'keyboard-interactive', 'password'],
    words,
    screen: (pty) => ({
      width: 0,
      overflow: 'wrap',
      interactive: true,
      newline: '\r\n',
      ...model.screen?.(pty),
    }),
    shell: (terminal) => talkTo(device, terminal),
    powerUp: () => device.boot(),
  };
  const started = await startCliDevice(cli, { maxSessions, ...options });
  return Object.assign(started, {
    running: () => encodeText(device.show('running')),
    startup: () => encodeText(device.show('startup')),
    edit(change: (text: string) => string) {
      device.text = change(device.text);
      device.changed('admin');
    },
  });
}

/** `Fri Nov 20 10:00:00 2026`, as C's ctime() has it. */
function ctime(date: Date): string {
  const [day, month, dayOfMonth, year, time] = date
    .toUTCString()
    .replace(/^(\w+), (\d+) (\w+) (\d+) ([\d:]+) GMT$/, '$1|$3|$2|$4|$5')
    .split('|');
  return `${day} ${month} ${Number(dayOfMonth).toString().padStart(2)} ${time} ${year}`;
}
