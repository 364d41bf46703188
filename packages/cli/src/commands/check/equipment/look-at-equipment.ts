/** Reads one piece of equipment: a few steps, one session at a time, each with its own time limit. A failure is a result. */
import type { ConnectedHosts } from '@skolo/api';
import { exchangedLines } from '@skolo/backup';
import {
  closing,
  count,
  errorCode,
  errorText,
  type Finding,
  pause,
  withDeadline,
  withoutName,
} from '@skolo/base';
import type { Credentials } from '@skolo/base/secrets';
import { models, type Transport } from '@skolo/equipment/models';
import type { Extent } from '@skolo/equipment/models/backup';
import { whyPartial } from '@skolo/equipment/models/configuration';
import type { OutletReading, OutletSettings } from '@skolo/equipment/models/outlets';
import { Recorder } from '@skolo/equipment/recordings';
import {
  DeviceBusy,
  DeviceRejected,
  DeviceTimeout,
  DeviceUnreachable,
  HostKeyChanged,
  type OnTranscript,
  SessionPool,
  SignInRejected,
} from '@skolo/equipment/transports';
import { type Equipment, loginToRead } from '@skolo/rack';
import { changedOutlets, loadsOf, type OfPart, oddOutlets, type Readings } from './outlets.ts';
import { type LookDeps, type Readers, readersOf, type Use, uses, valuesOf } from './readers.ts';
import { type Found, oddSettings, type Problem } from './settings.ts';

/** The results of reading one device or computer. */
export interface Looked {
  equipment: string;
  model: string;
  transport: Transport;
  steps: { step: string; ms: number; isDone: boolean; requests: number }[];
  /** What was sent in each step, without secrets. */
  sent: string[][];
  problems: (Finding & { kind: string })[];
  /** What was not compared, and why. */
  notes: string[];
  /** False: interrupted. */
  isComplete: boolean;
}

export interface EquipmentLook extends Looked {
  /** A different model that it reports. */
  answersAs?: string;
  hardware?: string;
  firmware?: string;
  outlets: Readings[];
  /** By outlet, as on the device. */
  settings?: Record<string, OutletSettings>;
  configuration?: { readings: number; bytes: number; differingLines: number };
  hosts?: ConnectedHosts;
  problems: Problem[];
  /** Absent if nothing is recorded. */
  recorder?: Recorder;
}

/** Begins the name of a step that only signs in. */
export const signInStep = 'sign-in with ';
/** Attempts to sign in to busy equipment. */
const mostTries = 10;
const busyMs = 1000;
const rounds = 3;
const configurationRounds = 2;
/** More than a device reports about itself; a configuration may be long. */
const mostSaid = 1024 * 1024;

export async function lookAtEquipment(
  equipment: Equipment,
  deps: LookDeps,
): Promise<EquipmentLook> {
  const visit = new Visit(equipment, deps);
  await visit.all();
  return visit.look;
}

class Visit {
  readonly look: EquipmentLook;
  private readonly equipment: Equipment;
  private readonly deps: LookDeps;
  private readonly loads: ReadonlyMap<string, string[]>;
  private names: readonly string[];
  private text: string | undefined;
  private said = '';
  private sent: string[] = [];
  private isEnded = false;

  constructor(equipment: Equipment, deps: LookDeps) {
    const { name, model, transport, options } = equipment;
    this.equipment = equipment;
    this.deps = deps;
    this.loads = loadsOf(deps.rack, name);
    const all = models.get(model)?.power?.outlets.all?.(options) ?? [];
    this.names = [...new Set([...all, ...this.loads.keys()])];
    const none = { steps: [], sent: [], outlets: [], problems: [], notes: [] };
    this.look = { equipment: name, model, transport, ...none, isComplete: false };
    if (deps.isRecording) this.look.recorder = new Recorder();
  }

  async all(): Promise<void> {
    const { deps, look } = this;
    const readers = await this.readers(await this.trySignIns());
    const { description, outlets, settings, configuration, hosts } = readers;
    this.said += (await this.step('description', description)) ?? '';
    const most = deps.dry ? 1 : rounds;
    for (let round = 1; round <= most && !this.isEnded; round += 1) {
      const hasOutlets = outlets !== undefined && this.names.length > 0;
      const hasConfiguration = configuration !== undefined && round <= configurationRounds;
      if (round > 1 && (hasOutlets || hasConfiguration))
        await pause(deps.pauseMs, deps.signal).catch(() => undefined);
      if (hasOutlets) await this.readOutlets(round, outlets);
      if (hasOutlets && round === 1) await this.readSettings(settings);
      if (hasConfiguration) await this.readConfiguration(round, configuration);
      if (round > 1) continue;
      const found = await this.step('connected hosts', hosts);
      if (found !== undefined) look.hosts = found;
    }
    this.judge();
    look.isComplete = !deps.signal.aborted;
  }

  private readers(
    chosen: ReadonlyMap<string, Credentials>,
    sessions = this.deps.sessions,
  ): Promise<Readers> {
    const { equipment, deps } = this;
    return readersOf(equipment, deps, (...heard) => this.record(...heard), { chosen, sessions });
  }

  /**
   * Signs in with each value of a login that has several, once: somebody is changing its secret.
   *
   * @returns the first value that the device accepts, by login
   */
  private async trySignIns(): Promise<ReadonlyMap<string, Credentials>> {
    const { deps, equipment } = this;
    const chosen = new Map<string, Credentials>();
    const tried = new Set<string>();
    for (const use of uses) {
      const login = loginToRead(deps.rack, equipment, use) ?? '';
      if (tried.has(login) || !this.canTry(await this.readers(chosen), use)) continue;
      tried.add(login);
      // A secret that cannot be read is reported by the first reading.
      const values = await valuesOf(deps, login).catch(() => []);
      if (values.length > 1) await this.tryValues(use, login, values, chosen);
    }
    return chosen;
  }

  private async tryValues(
    use: Use,
    login: string,
    values: readonly Credentials[],
    chosen: Map<string, Credentials>,
  ): Promise<void> {
    const { look } = this;
    const rejected: string[] = [];
    for (const [at, value] of values.entries()) {
      const what = `value ${at + 1} of ${values.length}`;
      const failure = await this.signIn(use, [login, value], what);
      const isIn = failure === undefined;
      if (isIn && !chosen.has(login)) chosen.set(login, value);
      if (failure instanceof SignInRejected) rejected.push(this.textOf(failure));
      // Equipment does not respond to a wrong community.
      else if (!isIn && !(look.transport === 'snmp' && failure instanceof DeviceTimeout)) return;
      const outcome = isIn ? 'signs in' : `does not sign in: ${this.textOf(failure)}`;
      look.notes.push(`${what} in login ${login} ${outcome}`);
    }
    this.isEnded = rejected.length === values.length;
    const found = `no value in login ${login} signs in: ${rejected[0]}`;
    if (this.isEnded) this.problem('sign-in', { found });
  }

  /** @returns why it failed; undefined: it signed in, and could read */
  private async signIn(use: Use, login: [string, Credentials], what: string): Promise<unknown> {
    const { deps, names } = this;
    for (let tries = 1; ; tries += 1) {
      // A session of another value would be used again.
      await using sessions = closing(new SessionPool());
      const readers = await this.readers(new Map([login]), sessions);
      const read = async (signal: AbortSignal) => {
        if (use === 'outlets') await readers.outlets?.(names.slice(0, 1), signal);
        else await readers[use]?.(signal);
        return true;
      };
      let failure: unknown = new Error('interrupted');
      const isIn = await this.step(`${signInStep}${what}`, read, (error) => {
        failure = error;
      });
      if (isIn) return undefined;
      // Cards with one session may not have ended the previous one yet.
      if (!(failure instanceof DeviceBusy) || tries === mostTries) return failure;
      await pause(busyMs, deps.signal).catch(() => undefined);
    }
  }

  private canTry(readers: Readers, use: Use): boolean {
    return readers[use] !== undefined && (use !== 'outlets' || this.names.length > 0);
  }

  private record(...[from, text, talk]: Parameters<OnTranscript>): void {
    this.look.recorder?.hear(from, text, talk);
    const isCli = talk?.kind === 'shell' || talk?.kind === 'exec';
    if (from === 'device' && isCli) this.said = (this.said + text).slice(0, mostSaid);
    const lines = from === 'us' ? text.split(/[\r\n]+/).map((line) => line.trimEnd()) : [];
    for (const line of lines.filter(Boolean)) {
      if (line.startsWith('snmp set '))
        throw new RangeError(`${line}: a look must not change anything`);
      this.sent.push(line);
    }
  }

  /** Undefined: it failed, or is no longer tried. */
  private async step<T>(
    step: string,
    read: ((signal: AbortSignal) => Promise<T>) | undefined,
    fail = (error: unknown) => this.fail(step, error),
  ): Promise<T | undefined> {
    const { timeoutMs: ms, signal } = this.deps;
    if (read === undefined || this.isEnded || signal.aborted) return undefined;
    const sent: string[] = [];
    this.sent = sent;
    const late = () => new DeviceTimeout(this.look.equipment, `not read within ${ms / 1000} s`);
    const start = performance.now();
    let isDone = false;
    try {
      const result = await withDeadline({ ms, late, signal }, read);
      isDone = true;
      return result;
    } catch (error) {
      fail(error);
      return undefined;
    } finally {
      const took = Math.round(performance.now() - start);
      this.look.steps.push({ step, ms: took, isDone, requests: sent.length });
      this.look.sent.push(sent);
    }
  }

  private fail(step: string, error: unknown): void {
    const { deps, look, sent } = this;
    if (deps.signal.aborted) return;
    if (deps.dry) {
      sent.push(...branchesOf(look.model, step));
      return;
    }
    const isSignIn =
      error instanceof SignInRejected ||
      error instanceof HostKeyChanged ||
      errorCode(error)?.startsWith('SECRET_') === true;
    const isFirst = look.steps.every(({ isDone }) => !isDone);
    const isAway = isFirst && error instanceof DeviceUnreachable;
    this.isEnded = isSignIn || isAway || error instanceof DeviceTimeout;
    const found = `${step}: ${this.textOf(error)}`;
    this.problem(isSignIn ? 'sign-in' : 'failed', { found });
  }

  private problem(kind: Problem['kind'], ...all: (Found & Partial<OfPart>)[]): void {
    const state = kind === 'failed' ? 'unchecked' : 'differs';
    const { equipment } = this.look;
    for (const { part, ...found } of all) {
      const thing = part === undefined ? equipment : `${equipment} ${part}`;
      this.look.problems.push({ kind, thing, state, ...found });
    }
  }

  private textOf(error: unknown): string {
    return withoutName(errorText(error), this.look.equipment);
  }

  private async readOutlets(round: number, read: NonNullable<Readers['outlets']>): Promise<void> {
    const reading = await this.step(`outlets ${round}`, async (signal) => {
      try {
        return await read(this.names, signal);
      } catch (error) {
        const wired = [...this.loads.keys()];
        const isAll = this.names.length > wired.length;
        if (this.deps.dry || !isAll || !(error instanceof DeviceRejected)) throw error;
        this.narrow(wired, this.textOf(error));
        return wired.length === 0 ? undefined : await read(wired, signal);
      }
    });
    if (reading === undefined) return;
    const isSpare = ([name, { state }]: [string, OutletReading]) =>
      state === 'unknown' && !this.loads.has(name);
    const spare = [...reading].filter(isSpare).map(([name]) => name);
    if (spare.length > 0 && spare.length < reading.size) {
      const known = [...reading.keys()].filter((name) => !spare.includes(name));
      this.narrow(known, `${spare.join(', ')} ${spare.length === 1 ? 'is' : 'are'} unknown`);
      for (const name of spare) reading.delete(name);
    }
    this.look.outlets.push(Object.fromEntries(reading));
  }

  private async readSettings(read: Readers['settings']): Promise<void> {
    const { look, names, loads, deps } = this;
    const report = await this.step('settings', read && ((signal) => read(names, signal)));
    if (report === undefined || deps.dry) return;
    const { hardware, firmware, linked, outlets } = report;
    const found = `switching an outlet may move others, because ${linked}`;
    const advice = 'change this setting, or cycles of its outlets will fail';
    if (linked !== undefined) this.problem('outlet', { found, advice });
    Object.assign(look, hardware && { hardware }, firmware && { firmware });
    look.settings = Object.fromEntries(outlets);
    look.problems.push(...oddSettings(deps.rack, look, outlets, loads));
  }

  /** Not all outlets can be read: rack.yaml has more than a PDU has, or some ports of a switch have no PoE. */
  private narrow(names: readonly string[], why: string): void {
    const found = `not all ${this.names.length} outlets can be read: ${why}`;
    const isSwitch = models.get(this.look.model)?.network !== undefined;
    if (isSwitch) this.look.notes.push(found);
    else this.problem('count', { found, advice: 'correct the number of outlets in rack.yaml' });
    this.names = names;
  }

  private async readConfiguration(
    round: number,
    configuration: NonNullable<Readers['configuration']>,
  ): Promise<void> {
    const read = await this.step(`configuration ${round}`, configuration);
    if (read === undefined || this.deps.dry) return;
    const { text, bytes, serial, members, extent } = read;
    if (round === 1) this.judgeExtent(extent);
    const { added, removed } = exchangedLines(this.text ?? text, text);
    const differingLines = added + removed;
    this.text ??= text;
    this.look.configuration = { readings: round, bytes, differingLines };
    const found = `changed between readings: ${count(differingLines, 'line')}`;
    if (differingLines > 0) this.problem('configuration', { part: 'configuration', found });
    const { serial: wanted = serial } = this.equipment;
    if (round === 1 && serial !== wanted && !members.includes(`${wanted}`))
      this.problem('serial', { part: 'serial number', found: `${serial}`, expected: `${wanted}` });
  }

  /** Names logins whose backups fail. */
  private judgeExtent(extent: Extent | undefined): void {
    const { rack } = this.deps;
    const part = `login ${loginToRead(rack, this.equipment, 'configuration') ?? 'none'}`;
    const why = whyPartial(extent, models.get(this.look.model));
    const unknown = extent === 'unknown' ? 'may not be shown the whole configuration' : why;
    const advice = 'or set `allowPartial: true` in rack.yaml to store the part';
    if (why && !this.equipment.allowPartial) {
      this.problem('configuration', { part, found: why, advice });
    } else if (unknown) this.look.notes.push(`${part}: ${unknown}`);
  }

  private judge(): void {
    const { look, said, loads } = this;
    const { power, reported: own } = models.get(look.model) ?? {};
    const noun = power?.outlets.noun ?? 'outlet';
    this.problem('changed', ...changedOutlets(noun, look.outlets));
    this.problem('outlet', ...oddOutlets(noun, look.outlets.at(-1) ?? {}, loads));
    const found = own?.model.exec(said);
    const [hardware, firmware] = [found?.[1], found && own?.firmware.exec(said)?.[1]];
    Object.assign(look, hardware && { hardware }, firmware && { firmware });
    if (own === undefined || found !== null) return;
    const other = [...models.values()].find(({ reported }) => reported?.model.test(said));
    if (other === undefined) return;
    look.answersAs = other.name;
    const thing = `${look.equipment} model`;
    const what = { found: `responds as ${other.name} (${other.label})`, expected: look.model };
    look.problems.unshift({ kind: 'model', thing, state: 'differs', ...what });
  }
}

/** What a plan cannot know; the first of repeated steps stands for all. */
function branchesOf(model: string, step: string): string[] {
  const { outlets = ['the same for each of the other outlets'], ...others } =
    models.get(model)?.branches ?? {};
  const { settings = [], configuration = [], hosts = [] } = others;
  const known = new Map([
    ['outlets 1', outlets],
    ['settings', settings],
    ['configuration 1', configuration],
    ['connected hosts', hosts],
  ]);
  return (known.get(step) ?? []).map((each) => `(then) ${each}`);
}
