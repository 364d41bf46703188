/**
 * What both generations of APC's switched rack PDUs have in common: outlets that obey commands at once, or by "reboot" (not
 * the delayed commands), and the tables of the first generation and of MasterSwitch, which the second one still serves (so say
 * fence_apc_snmp and labgrid, which use nothing else).
 *
 * Source: PowerNet-MIB (sPDU and rPDU groups). Prefix 1.3.6.1.4.1.318.1.1.
 *
 * No recording: its state matters, because outlets are switched, at once and by a reboot of their own.
 */
import { type Faults, OutletBoard } from '../device.ts';
import { integer, integerOrText, type SnmpObject } from './mib.ts';

export const powerNet = '1.3.6.1.4.1.318.1.1';

/** What an outlet can be told. */
type ApcCommand = 'on' | 'off' | 'reboot';

export interface ApcOutlets {
  outlets?: number;
  /** What is plugged into each outlet draws this much; default 40. */
  watts?: number;
  /** How long off a reboot is, as configured on the device; default 5. */
  rebootSeconds?: number;
  /** After how many seconds outlets get power when mains are back; -1 never, default 0. */
  coldstartDelay?: number;
  /** Each outlet's delay after that, by its number; -1 never, default 0. */
  powerOnTimes?: Readonly<Record<string, number>>;
  /** By number; default `Outlet N`. */
  outletNames?: Readonly<Record<string, string>>;
}

/** Outlets, and when they come on again. */
export class ApcBank {
  readonly board: OutletBoard;
  readonly names: readonly string[];
  readonly rebootSeconds: number;
  readonly coldstartDelay: number;
  private readonly powerOnTimes: Readonly<Record<string, number>>;
  private readonly outletNames: Readonly<Record<string, string>>;
  private readonly pending = new Map<string, NodeJS.Timeout>();
  /** Whether a reboot turns an outlet on that was off before; the first generation leaves it off (powerman's note). */
  private readonly rebootTurnsOn: boolean;

  constructor(options: ApcOutlets, rebootTurnsOn: boolean) {
    const { outlets = 8, watts = 40, rebootSeconds = 5 } = options;
    this.names = Array.from({ length: outlets }, (_, index) => String(index + 1));
    this.board = new OutletBoard(this.names.map((name) => [name, { on: true, watts }]));
    this.rebootSeconds = rebootSeconds;
    this.coldstartDelay = options.coldstartDelay ?? 0;
    this.powerOnTimes = options.powerOnTimes ?? {};
    this.outletNames = options.outletNames ?? {};
    this.rebootTurnsOn = rebootTurnsOn;
  }

  nameOf(outlet: string): string {
    return this.outletNames[outlet] ?? `Outlet ${outlet}`;
  }

  powerOnTime(outlet: string): number {
    return this.powerOnTimes[outlet] ?? 0;
  }

  isPending(outlet: string): boolean {
    return this.pending.has(outlet);
  }

  obey(outlet: string, command: ApcCommand): void {
    clearTimeout(this.pending.get(outlet));
    this.pending.delete(outlet);
    const { board } = this;
    const comesBack = command === 'reboot' && (board.isOn(outlet) || this.rebootTurnsOn);
    board.set(outlet, command === 'on');
    if (comesBack) this.turnOnLater(outlet, this.rebootSeconds);
  }

  obeyAll(command: ApcCommand): void {
    for (const name of this.names) this.obey(name, command);
  }

  /** With mains back each outlet is turned on after both delays, at once as it comes from the factory, or never. */
  restart(): void {
    this.stop();
    for (const name of this.names) {
      const delays = [this.coldstartDelay, this.powerOnTime(name)];
      const seconds = delays.reduce((sum, each) => sum + each);
      const isNow = delays.every((each) => each === 0);
      this.board.set(name, isNow);
      if (!isNow && !delays.includes(-1)) this.turnOnLater(name, seconds);
    }
  }

  stop(): void {
    for (const timer of this.pending.values()) clearTimeout(timer);
    this.pending.clear();
  }

  private turnOnLater(outlet: string, seconds: number): void {
    const timer = setTimeout(() => this.obey(outlet, 'on'), seconds * 1000);
    this.pending.set(outlet, timer);
  }
}

/** A column of a table with one row for each outlet. A number that is not in `commands` is rejected. */
export function column(
  bank: ApcBank,
  faults: Faults,
  oid: string,
  read: (outlet: string) => number | string,
  commands?: ReadonlyMap<number, ApcCommand>,
): SnmpObject[] {
  return bank.names.map((outlet) => ({
    oid: `${powerNet}.${oid}.${outlet}`,
    read() {
      return faults.has('missing-instance') ? undefined : integerOrText(read(outlet));
    },
    ...(commands && {
      write: {
        check: (value: number) => commands.has(value),
        commit(value: number) {
          const command = commands.get(value);
          if (command) bank.obey(outlet, command);
        },
      },
    }),
  }));
}

/** The one object that tells all outlets at once. Its numbers are others than an outlet's, in each table. */
export function allOutlets(
  bank: ApcBank,
  oid: string,
  commands: ReadonlyMap<number, ApcCommand>,
): SnmpObject {
  return {
    oid: `${powerNet}.${oid}`,
    read: () => integer(1),
    write: {
      check: (value: number) => value === 1 || commands.has(value),
      commit(value: number) {
        const command = commands.get(value);
        if (command) bank.obeyAll(command);
      },
    },
  };
}

/** Of one outlet, in each table. */
export const commands: ReadonlyMap<number, ApcCommand> = new Map([
  [1, 'on'],
  [2, 'off'],
  [3, 'reboot'],
]);

/** sPDUOutletControl (4.4.2) and rPDUOutlet (12.3). */
export function firstGenerationTables(bank: ApcBank, faults: Faults): SnmpObject[] {
  const onOff = (outlet: string) => (bank.board.isOn(outlet) ? 1 : 2);
  const pending = (outlet: string) => (bank.isPending(outlet) ? 1 : 2);
  const name = (outlet: string) => bank.nameOf(outlet);
  const rows = (oid: string, read: (outlet: string) => number | string) =>
    column(bank, faults, oid, read);
  return [
    { oid: `${powerNet}.4.4.1.0`, read: () => integer(bank.names.length) },
    ...rows('4.4.2.1.1', Number),
    ...rows('4.4.2.1.2', pending),
    ...column(bank, faults, '4.4.2.1.3', onOff, commands),
    ...rows('4.4.2.1.4', name),
    { oid: `${powerNet}.12.1.8.0`, read: () => integer(bank.names.length) },
    allOutlets(
      bank,
      '12.3.1.1.0',
      new Map([
        [2, 'on'],
        [3, 'off'],
        [4, 'reboot'],
      ]),
    ),
    { oid: `${powerNet}.12.3.1.2.0`, read: () => integer(bank.coldstartDelay) },
    ...rows('12.3.3.1.1.1', Number),
    ...rows('12.3.3.1.1.2', name),
    ...column(bank, faults, '12.3.3.1.1.4', onOff, commands),
    ...rows('12.3.4.1.1.1', Number),
    ...rows('12.3.4.1.1.2', name),
    ...rows('12.3.4.1.1.4', (outlet) => bank.powerOnTime(outlet)),
    ...rows('12.3.4.1.1.5', () => 0),
    ...rows('12.3.4.1.1.6', () => Math.round(bank.rebootSeconds)),
    ...rows('12.3.5.1.1.1', Number),
    ...rows('12.3.5.1.1.2', name),
    ...rows('12.3.5.1.1.4', onOff),
    ...rows('12.3.5.1.1.5', pending),
  ];
}
