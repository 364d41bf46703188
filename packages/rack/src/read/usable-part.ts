/**
 * Decides which entries of a rack.yaml with errors are disabled, at a start without a last valid copy. Omits each entry with an error,
 * then references to it, until the rest is valid. Fixes nothing.
 */

import { isObject } from '@skolo/base';
import { models } from '@skolo/equipment/models';
import { runChecks } from '../checks/index.ts';
import { type BuildOptions, build } from '../draft/build.ts';
import type { Draft } from '../draft/draft.ts';
import { type DroppedKey, Omissions, type RangedSection, stringsIn } from '../draft/omissions.ts';
import type { Path, Problem } from '../issues/issues.ts';
import { nearest } from '../issues/suggest.ts';
import type { Disabled, Equipment, Machine } from '../rack/rack.ts';
import { machineSchema } from '../schema/machine-schema.ts';
import { cidr } from '../schema/network-fields.ts';
import { formatOutlet, type Outlet, parseOutlet } from '../schema/outlets.ts';
import { valueAt, without } from '../yaml/paths.ts';

/** More rounds than any chain of references requires. */
const mostRounds = 1000;

/** Undefined if no part is usable. */
export function usablePart(
  value: unknown,
  options: BuildOptions,
): { draft: Draft; disabled: Disabled } | undefined {
  const reduction = new Reduction(value);
  for (let round = 0; round < mostRounds; round++) {
    const { draft, problems } = build(reduction.value, {
      ...options,
      omissions: reduction.omissions,
    });
    runChecks(draft, problems);
    if (problems.length === 0 && !reduction.leaveOutContested(draft)) {
      return { draft, disabled: reduction.disabled() };
    }
    if (!reduction.leaveOut(problems)) return undefined;
  }
  return undefined;
}

class Reduction {
  value: unknown;
  readonly omissions = new Omissions();
  private readonly what = new Set<string>();
  private readonly removed = { identities: new Set<string>(), logins: new Set<string>() };
  private readonly removedSections = new Set<string>();
  private subnet = false;
  private everyone = false;
  private wiring = false;
  private isFatal = false;

  constructor(value: unknown) {
    this.value = value;
  }

  /** False if a problem is fatal, or nothing more can be omitted. */
  leaveOut(problems: readonly Problem[]): boolean {
    const hasNews = problems.map((problem) => {
      const first = this.leaveOutOne(problem.path, problem);
      return problem.other === undefined ? first : this.leaveOutOther(problem.other) || first;
    });
    return !this.isFatal && (problems.length === 0 || hasNews.includes(true));
  }

  disabled(): Disabled {
    const names = [...this.omissions.namesOf('equipment'), ...this.omissions.namesOf('machines')];
    return {
      what: [...this.what],
      names: new Set(names),
      addresses: new Set(this.omissions.addresses()),
      subnet: this.subnet,
      everyone: this.everyone,
      wiring: this.wiring,
    };
  }

  /**
   * Omits addresses and outlets that a disabled entry also uses, because the error may be in either. Returns whether there
   * was any.
   */
  leaveOutContested(draft: Draft): boolean {
    const { rack } = draft;
    const addresses = new Set(this.omissions.addresses());
    const outlets = new Set(this.outletsOfDisabled(draft));
    const isContested = (outlet: Outlet | 'internet' | undefined) =>
      typeof outlet === 'object' && outlets.has(formatOutlet(outlet));
    let hasNews = false;
    for (const [section, entries] of [
      ['equipment', rack.equipment],
      ['machines', rack.machines],
    ] as const) {
      for (const entry of entries.values()) {
        const { name, address } = entry;
        if (address !== undefined && addresses.has(address)) {
          hasNews = this.omit(section, name) || hasNews;
        }
        for (const key of contestedKeys(entry, isContested)) {
          hasNews = this.drop(section, name, key) || hasNews;
        }
      }
    }
    return hasNews;
  }

  private outletsOfDisabled({ rack }: Draft): string[] {
    const texts = [...this.omissions.textsOf('machines'), ...this.omissions.textsOf('equipment')];
    return texts.flatMap((text) => {
      const outlet = parseOutlet(text);
      const equipment = outlet && rack.equipment.get(outlet.device);
      const model = equipment && models.get(equipment.model);
      if (!outlet || !equipment || !model || outlet.outlet === '') return [];
      return [model.power?.outlets, model.network].flatMap((numbering) => {
        const found = numbering?.find(outlet.outlet, equipment.options);
        return found === undefined ? [] : [formatOutlet({ ...outlet, outlet: found })];
      });
    });
  }

  /** Returns whether anything more was omitted. */
  private leaveOutOne(path: Path, problem: Problem): boolean {
    const [section, name, key, index] = path.map(String);
    switch (section) {
      case undefined:
      case 'rack':
        return this.fatal();
      case 'network':
        // Addresses cannot be checked without the subnet.
        return name === 'domain' ? this.remove([section, name]) : this.fatal();
      case 'equipment':
      case 'machines':
        if (name === undefined) return this.leaveOutSection(section);
        return this.leaveOutEntry(section, name, key, problem);
      case 'identities':
      case 'logins':
        if (name === undefined) {
          this.removedSections.add(section);
          return this.remove([section]);
        }
        this.removed[section].add(name);
        return this.remove([section, name]);
      case 'jumphost':
        return this.leaveOutOfJumphost(name, problem);
      case 'services':
        return this.leaveOutSetting(name, key, index);
      case 'access':
      case 'models':
      case 'secrets':
        return this.remove(name === undefined ? [section] : [section, name]);
      case 'acts':
        // Without the key, skolo would act.
        this.value = without(this.value, ['acts'], false);
        return this.recorded(['acts']);
      case 'timezone':
      case 'alertmanager':
      case 'defaultIdentity':
        return this.remove([section]);
      default:
        return this.leaveOutUnknown(section);
    }
  }

  /** The other entry of a conflict: the error may be in either. */
  private leaveOutOther([section, name, key]: Path): boolean {
    if (section === 'jumphost') {
      return key === undefined && (name === 'power' || name === 'uplink')
        ? this.leaveOutOfJumphost(name)
        : false;
    }
    if (section !== 'machines' && section !== 'equipment') return false;
    return this.omit(section, String(name));
  }

  private leaveOutEntry(
    section: RangedSection,
    name: string,
    key: string | undefined,
    { rule, missing }: Problem,
  ): boolean {
    const dependent = this.dependentKey(section, key, missing);
    if (dependent !== undefined) return this.drop(section, name, dependent);
    const hasAddress = this.omissions.hasAddress(section, name);
    if (section === 'machines' && !isAddressSure(rule, key, hasAddress)) this.subnet = true;
    return this.omit(section, name);
  }

  /** The key that refers to a disabled entry or an unusable login, if the entry is usable without it. */
  private dependentKey(
    section: RangedSection,
    key: string | undefined,
    missing: Problem['missing'],
  ): DroppedKey | undefined {
    // Equipment without its login could be queried with a default password.
    if (key === 'login' && section === 'machines') return key;
    if (missing === undefined || !this.isRemoved(missing)) return undefined;
    if (key === 'device' || key === 'devices') return 'devices';
    return key === 'identity' || key === 'power' || key === 'uplink' ? key : undefined;
  }

  private isRemoved({ section, name }: NonNullable<Problem['missing']>): boolean {
    if (this.removedSections.has(section)) return true;
    if (section !== 'equipment') return this.removed[section].has(name);
    // An invalid range may stand for any name.
    return this.omissions.namesOf(section).some((each) => each === name || each.includes('['));
  }

  private omit(section: RangedSection, name: string): boolean {
    this.what.add(`${section}.${name}`);
    this.wiring = true;
    return this.omissions.omit(section, name);
  }

  private drop(section: RangedSection, name: string, key: DroppedKey): boolean {
    this.what.add(`${section}.${name}.${key}`);
    if (key === 'power' || key === 'uplink') this.wiring = true;
    return this.omissions.drop(section, name, key);
  }

  private leaveOutSection(section: RangedSection): boolean {
    this.wiring = true;
    this.everyone ||= section === 'machines';
    this.removedSections.add(section);
    return this.remove([section]);
  }

  private leaveOutOfJumphost(key: string | undefined, problem?: Problem): boolean {
    if (key === undefined || key === 'name' || key === 'address') return this.fatal();
    const isUnknown = problem?.rule === 'unknown key';
    if (isUnknown || key === 'power' || key === 'uplink') this.wiring = true;
    if (isUnknown || key === 'identity') {
      // Without the key, it would get the default identity.
      this.value = without(this.value, ['jumphost', 'identity'], 'none');
      if (key === 'identity') return this.recorded(['jumphost', 'identity']);
    }
    return this.remove(['jumphost', key]);
  }

  private leaveOutSetting(service: string | undefined, key = '', index?: string): boolean {
    // With only some of its settings, alerts could go to the wrong receiver.
    if (service === undefined || service === 'alert-to-pubsub') return this.fatal();
    // Without its certificate, the service would use plain http.
    if (key === '' || key === 'tls' || nearest(key, ['tls']) !== undefined) return this.fatal();
    const path = ['services', service, key];
    if (service !== 'metadata-server') return this.remove(path);
    if (key !== 'callers') {
      // It may be a misspelled `callers`.
      this.everyone ||= nearest(key, ['callers']) !== undefined;
      return this.remove(path);
    }
    const caller = index === undefined ? undefined : valueAt(this.value, [...path, index]);
    const networks = stringsIn(isObject(caller) ? caller.cidr : undefined);
    const isSure = networks.length === 1 && networks.every((text) => cidr.safeParse(text).success);
    if (!isSure) {
      this.everyone = true;
      return this.remove(path);
    }
    const cutOff = { cidr: networks[0], identity: 'none' };
    if (JSON.stringify(caller) === JSON.stringify(cutOff)) {
      // A duplicate network: keep one entry without an identity.
      return this.keepOneCaller(path, networks[0] ?? '');
    }
    this.value = without(this.value, [...path, index ?? ''], cutOff);
    return this.recorded([...path, index ?? '']);
  }

  private keepOneCaller(path: string[], network: string): boolean {
    const callers = valueAt(this.value, path);
    if (!Array.isArray(callers)) return false;
    const others = callers.filter((caller) => !isObject(caller) || caller.cidr !== network);
    const kept = [...others, { cidr: network, identity: 'none' }];
    if (kept.length === callers.length) return false;
    this.value = without(this.value, path, kept);
    return this.recorded(path);
  }

  private leaveOutUnknown(key: string): boolean {
    // It may be a misspelled section: only machines get identities.
    this.everyone = true;
    this.wiring = true;
    if (nearest(key, ['acts']) !== undefined) this.value = without(this.value, ['acts'], false);
    return this.remove([key]);
  }

  private remove(path: string[]): boolean {
    if (valueAt(this.value, path) === undefined) return false;
    this.value = without(this.value, path);
    return this.recorded(path);
  }

  private recorded(path: readonly string[]): true {
    this.what.add(path.join('.'));
    return true;
  }

  private fatal(): false {
    this.isFatal = true;
    return false;
  }
}

function contestedKeys(
  entry: Machine | Equipment,
  isContested: (outlet: Outlet | 'internet' | undefined) => boolean,
): DroppedKey[] {
  const keys: DroppedKey[] = [];
  if (entry.power.some(isContested)) keys.push('power');
  if (isContested(entry.uplink)) keys.push('uplink');
  const devices = 'devices' in entry ? entry.devices : [];
  if (devices.some(({ power }) => power && 'device' in power && isContested(power))) {
    keys.push('devices');
  }
  return keys;
}

const aboutNames = ['name', 'name twice', 'reserved'];

/** Whether the address of a machine with this error is certain. */
function isAddressSure(rule: string, key: string | undefined, hasAddress: boolean): boolean {
  if (key === undefined) return aboutNames.includes(rule);
  // An unknown key may be a misspelled address.
  return key !== 'address' && (hasAddress || Object.hasOwn(machineSchema.shape, key));
}
