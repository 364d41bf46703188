/**
 * Decides which problems are on the console's first page, and in which order: a cause, its alerts, the services that report it, and its
 * machines are one card.
 */

import { backupWord, isBackupWrong } from '@skolo/api/backup-verdict';
import { diskCommand, fullDisk } from '@skolo/api/headline';
import type { Machine, MachineAlert, RackView, ServiceState } from '@skolo/api/machine-state';
import { beganAt, isSilent, recentlySilent } from '@skolo/api/silence';
import { count } from '@skolo/base/count';
import { listed } from '../parts/listed.ts';
import { hrefOf } from '../parts/router.ts';

export interface Card {
  /** What it is about. An alert's link names one of these, or the alert. */
  names: readonly string[];
  /** A sentence with its number first, such as `20 silent · switch-3 is down`. */
  title: string;
  href: string;
  isBad: boolean;
  since?: string | undefined;
  /** Why, in the words of who noticed it. */
  text?: string | undefined;
  /** Switches, PDUs or routers that the card is about; another name has no power cycle. */
  equipment: readonly string[];
  /** What its silent machines share, although others that share it respond: only they are offered for an action. */
  isPartial?: boolean;
  /** The first command to run. */
  command?: string;
  /** More about the machine, if the card is about one. */
  machine?: Machine;
  machines: readonly Machine[];
  /** The filter that shows the machines. */
  filter?: Readonly<Record<string, string>>;
  alerts: MachineAlert[];
  /** Reports of services, such as `router-backup: switch-3: login rejected`. */
  reports: string[];
}

const few = 3;

export function cardsOf(rack: RackView, machines: ReadonlyMap<string, Machine>): Card[] {
  const cards = [
    ...ofDisk(rack),
    ...ofAlertPath(rack),
    ...ofRackFile(rack),
    ...ofCauses(rack, machines),
    ...ofEquipment(rack),
  ];
  const waiting = needingAttention(machines.values());
  const gone = waiting.filter(({ condition }) => condition === 'gone');
  const areAlike = gone.length > few;
  const people = waiting.filter((each) => !areAlike || !gone.includes(each)).map(cardOfMachine);
  if (areAlike) cards.push(...cardOfSilent(gone, machines.size));
  const silent = cardOfSilent(recentlySilent(machines.values()), machines.size);
  const cardOf = (name: string) => [...cards, ...people].find(({ names }) => names.includes(name));
  for (const equipment of rack.equipment) {
    const own = backupOf(equipment, cardOf);
    if (own) cards.push(own);
  }
  for (const service of rack.services) {
    const own = reportsTo(service, cardOf);
    if (own) cards.push(own);
  }
  for (const alert of rack.alerts) {
    const found = cardOf(alert.about ?? alert.name) ?? cardOf(alert.name);
    if (found) found.alerts.push(alert);
    else cards.push(cardOfAlert(alert));
  }
  const ordered = inOrder([...cards, ...silent]);
  const isNotice = (each: Card) => !each.isBad && !each.machines.some(isSilent);
  // What a person must do comes before what is only uncertain.
  return [...ordered.filter((each) => !isNotice(each)), ...people, ...ordered.filter(isNotice)];
}

const hourMs = 3_600_000;

/**
 * A phone shows only the first: that of the most machines that fell silent within the last hour, before those that fell silent earlier, and
 * before what is wrong with no machine. What is only unknown is last.
 */
function inOrder(cards: readonly Card[]): Card[] {
  const silentIn = ({ machines }: Card) => machines.filter(isSilent).length;
  const sinceOf = (each: Card) => Date.parse(each.since ?? '') || 0;
  const newest = Math.max(...cards.filter((each) => silentIn(each) > 0).map(sinceOf));
  const rankOf = (each: Card) => {
    if (silentIn(each) > 0) return sinceOf(each) > newest - hourMs ? 0 : 1;
    return each.isBad ? 2 : 3;
  };
  return cards.toSorted(
    (one, other) =>
      rankOf(one) - rankOf(other) ||
      silentIn(other) - silentIn(one) ||
      (silentIn(one) > 0 ? sinceOf(other) - sinceOf(one) : 0),
  );
}

/** The card that an alert's link opens. */
export function cardAbout(name: string, cards: readonly Card[]): Card | undefined {
  return (
    cards.find(({ names }) => names.includes(name)) ??
    cards.find(({ alerts }) => alerts.some((alert) => alert.name === name)) ??
    cards.find(({ machines }) => machines.some((machine) => machine.name === name))
  );
}

/** Longest waiting first. */
function needingAttention(machines: Iterable<Machine>): Machine[] {
  return [...machines]
    .filter(({ needsAttention }) => needsAttention !== undefined)
    .sort((one, other) => (beganAt(one) ?? '').localeCompare(beganAt(other) ?? ''));
}

function card(title: string, href: string, more: Partial<Card> = {}): Card {
  return {
    names: [title],
    title,
    href,
    isBad: true,
    equipment: [],
    machines: [],
    alerts: [],
    reports: [],
    ...more,
  };
}

function ofDisk({ services, jumphost = 'JUMPHOST', rack }: RackView): Card[] {
  const full = fullDisk(services);
  if (full === undefined) return [];
  const { text: title, since, why: text, services: names } = full;
  const command = diskCommand(jumphost, rack);
  return [card(title, hrefOf('services'), { names, since, text, command })];
}

function ofAlertPath({ alertPath }: RackView): Card[] {
  if (alertPath === undefined || alertPath.state === 'delivered') return [];
  const { state, text } = alertPath;
  const names = ['alert-to-pubsub'];
  return [
    card(`Alerts ${state}`, hrefOf('alerts'), { names, text, isBad: state !== 'not confirmed' }),
  ];
}

function ofRackFile({ rackFile: { problems } }: RackView): Card[] {
  const [text] = problems;
  return text === undefined ? [] : [card('rack.yaml was rejected', hrefOf('rack-file'), { text })];
}

function ofCauses({ causes, equipment }: RackView, all: ReadonlyMap<string, Machine>): Card[] {
  return causes.map(({ code, isPartial = false, text, why, since, machines: names, ...cause }) => {
    const machines = names.flatMap((each) => all.get(each) ?? []);
    const filter = { cause: code };
    const whole = isPartial ? [] : cause.equipment;
    const below = equipment.filter(
      (each) =>
        each.state === 'down' &&
        !whole.includes(each.name) &&
        whole.some((name) => dependsOn(each, name)),
    );
    const [first] = whole;
    const href = first ? hrefOf('equipment', [first]) : hrefOf('rack', [], filter);
    const silent = machines.filter(isSilent).length;
    const many = silent > 0 ? `${silent} silent` : count(machines.length, 'machine');
    const isDown = equipment.some(({ name, state }) => name === code && state === 'down');
    return card(`${many} · ${isDown ? `${text} is down` : text}`, href, {
      names: [`${text}`, code, ...cause.equipment, ...below.map(({ name }) => name)],
      text:
        below.length > 0
          ? `${why}; also down: ${listed(
              below.map(({ name }) => name),
              few,
            )}`
          : `${why}`,
      since,
      machines,
      filter,
      equipment: whole,
      isPartial,
      alerts: machines.flatMap(({ alerts }) => alerts),
    });
  });
}

function ofEquipment({ equipment, causes }: RackView): Card[] {
  const isExplained = (each: RackView['equipment'][number]) =>
    causes.some(({ equipment: whole }) =>
      whole.some((name) => name === each.name || dependsOn(each, name)),
    );
  return equipment
    .filter((each) => isFaulty(each) && !isExplained(each))
    .map(({ name, state, why: text, since }) => {
      const more = { names: [name], equipment: [name], text, since };
      return card(`${name} is ${state}`, hrefOf('equipment', [name]), more);
    });
}

function isFaulty({ state }: RackView['equipment'][number]): boolean {
  return state === 'down' || state === 'failing';
}

/** @returns a card of its own if nothing else is wrong with the device */
function backupOf(
  { name, backup, lastBackup: since }: RackView['equipment'][number],
  cardOf: (name: string) => Card | undefined,
): Card | undefined {
  if (!backup || !isBackupWrong(backup)) return undefined;
  const about = cardOf(name);
  if (!about) {
    const more = { names: [name], text: backup.why, since, isBad: false };
    return card(`Backup of ${name}: ${backupWord(backup)}`, hrefOf('backups', [name]), more);
  }
  about.reports.push(`backup: ${backupWord(backup)}: ${backup.why ?? ''}`);
  return undefined;
}

/** By its uplink, or all its outlets. */
function dependsOn({ uplink, power }: RackView['equipment'][number], what: string): boolean {
  const isAt = (port: string) => port.startsWith(`${what}/`);
  return (uplink !== undefined && isAt(uplink)) || (power.length > 0 && power.every(isAt));
}

/** @returns the service's own card, for what no other card is about */
function reportsTo(
  { name, state = 'ready', why, degraded }: ServiceState,
  cardOf: (name: string) => Card | undefined,
): Card | undefined {
  const own: ServiceState['degraded'] = [];
  for (const each of degraded) {
    // Once for all services.
    if (each.code === 'disk-full') continue;
    const about = [name, ...each.what.split(/[\s/]/)].flatMap((word) => cardOf(word) ?? [])[0];
    if (about) about.reports.push(`${name}: ${each.what}: ${each.why}`);
    else own.push(each);
  }
  const isPartial = state === 'degraded' || state === 'ready' || state === 'unknown';
  if ((isPartial && own.length === 0) || cardOf(name)) return undefined;
  const [first, ...others] = own;
  const reports = others.map(({ what, why }) => `${what}: ${why}`);
  return card(`${name}: ${state}`, hrefOf('services'), {
    names: [name, ...own.flatMap(({ what }) => what.split(/[\s/]/))],
    isBad: !isPartial,
    since: first?.since,
    text: why ?? (first && `${first.what}: ${first.why}`),
    reports,
  });
}

function cardOfAlert(alert: MachineAlert): Card {
  const { name, about = name, summary: text, since } = alert;
  const names = [about, name];
  return card(name, hrefOf('alerts', [], { text: name }), {
    names,
    equipment: [about],
    text,
    since,
    isBad: alert.severity === 'critical',
    alerts: [alert],
  });
}

/** Nobody has to deal with those that fell silent a moment ago, because most come back within minutes. @param all in the rack */
function cardOfSilent(machines: readonly Machine[], all: number): Card[] {
  const [first] = machines;
  if (first === undefined) return [];
  const { condition, lastSeen: since } = first;
  const filter = { condition };
  const isAll = machines.length === all && all > 1;
  const title = `${isAll ? 'all ' : ''}${machines.length} silent · ${condition === 'gone' ? 'wait for a person' : 'no known cause'}`;
  const names = machines.map(({ name }) => name);
  const more = {
    names: [],
    isBad: isAll || condition === 'gone',
    since,
    text: listed(names, few) + (names.length > 1 ? '; they share no known cause' : ''),
    machines,
    filter,
    alerts: machines.flatMap(({ alerts }) => alerts),
  };
  return [card(title, hrefOf('rack', [], filter), more)];
}

function cardOfMachine(machine: Machine): Card {
  const { name, needsAttention: text, alerts } = machine;
  const more = { text, machine, machines: [machine], alerts: [...alerts], since: beganAt(machine) };
  return card(name, hrefOf('machine', [name]), { ...more, isBad: false });
}
