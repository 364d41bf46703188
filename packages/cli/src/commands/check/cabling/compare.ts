/**
 * Compares rack.yaml with what switches and routers see, whether a service has read them or this workstation. Pure. Each finding includes
 * the edits that would fix it.
 */
import type { ConnectedHosts } from '@skolo/api';
import type { Finding } from '@skolo/base';
import { models } from '@skolo/equipment/models';
import { formatOutlet, type Outlet, type Rack } from '@skolo/rack';
import type { RackEdit } from '@skolo/rack/edit';
import { type Entry, entriesOf, isNetwork, Seen } from './seen.ts';

type FindingKind =
  | ('moved-cable' | 'dead-port' | 'unknown-machine')
  | ('wrong-mac' | 'wrong-address' | 'wrong-outlet');

/** The thing is an entry in rack.yaml, or the port of a network card without an entry. */
export interface CableFinding extends Finding {
  kind: FindingKind;
  /** Edits of rack.yaml. Empty: only a person can decide. */
  edits: RackEdit[];
  /** The outlet moves with the cable, if a power cycle proves that it feeds the card at that port. */
  power?: { edit: RackEdit; card: string };
}

export interface CablingAudit {
  findings: CableFinding[];
  /** Where rack.yaml says. */
  confirmed: string[];
  /** Not in its switch's MAC table: turned off, or silent for longer than the table remembers. */
  unseen: string[];
}

/** Only a person can decide, unless `more` has edits. */
function differs(
  kind: FindingKind,
  thing: string,
  text: Pick<Finding, 'found' | 'expected' | 'advice'>,
  more: Partial<Pick<CableFinding, 'edits' | 'power'>> = {},
): CableFinding {
  return { kind, thing, state: 'differs', edits: [], ...text, ...more };
}

export function compare(rack: Rack, readings: readonly ConnectedHosts[]): CablingAudit {
  const seen = new Seen(rack, readings);
  const entries = entriesOf(rack);
  const known = new Set(entries.flatMap((entry) => [...seen.idsOf(entry)]));
  const audit: CablingAudit = { findings: [], confirmed: [], unseen: [] };
  for (const entry of entries) {
    const findings = isNetwork(entry)
      ? ofSwitch(rack, entry, seen, audit)
      : ofPlain(rack, entry, seen, known, audit);
    audit.findings.push(...findings, ...ofAddress(entry, seen));
  }
  audit.findings.push(...strangers(rack, entries, seen, known, audit.findings));
  return audit;
}

function ofPlain(
  rack: Rack,
  entry: Entry,
  seen: Seen,
  known: ReadonlySet<string>,
  audit: CablingAudit,
): CableFinding[] {
  const ids = seen.idsOf(entry);
  const { name, uplink } = entry;
  if (uplink === undefined || uplink.outlet === '') return [];
  if (isAt(seen.portsOf(ids), uplink)) {
    audit.confirmed.push(name);
    return ofOutlet(rack, entry, seen, uplink);
  }
  const [place, second] = seen.placesOf(ids);
  // A switch that was not read may still have it, and others see it on the way to that switch.
  if (place !== undefined && second === undefined && seen.hasTable(uplink.device)) {
    return [moved(rack, entry, seen, uplink, place)];
  }
  const replaced = replacement(entry, uplink, seen, known);
  if (replaced !== undefined) return [replaced];
  const behind = seen.portsOf(ids).find(({ device }) => device === uplink.device);
  if (behind !== undefined) return [elsewhere(entry, uplink, behind)];
  if (seen.isUp(uplink) === false) return [dead(entry, uplink)];
  if (seen.hasTable(uplink.device)) audit.unseen.push(name);
  return [];
}

/** A switch or router, if rack.yaml plugs it into a switch that was read. */
function ofSwitch(rack: Rack, entry: Entry, seen: Seen, audit: CablingAudit): CableFinding[] {
  const { name, uplink } = entry;
  if (uplink === undefined || !seen.hasTable(uplink.device)) return [];
  if (uplink.outlet === '') return [];
  const neighbours = seen.neighboursOf(entry);
  if (isAt(seen.portsOf(seen.idsOf(entry)), uplink)) {
    audit.confirmed.push(name);
    return [];
  }
  const above = neighbours.filter(({ device }) => !pathOut(rack, device).includes(name));
  const place = above.find(({ device }) => device === uplink.device) ?? above[0];
  if (place !== undefined) return [moved(rack, entry, seen, uplink, place)];
  if (seen.isUp(uplink) === false) return [dead(entry, uplink)];
  audit.unseen.push(name);
  return [];
}

/** Devices on the path out of the rack, nearest first. */
function pathOut(rack: Rack, equipment: string): string[] {
  const passed = new Set<string>();
  for (let at: string | undefined = equipment; at !== undefined && !passed.has(at); ) {
    passed.add(at);
    const up: Outlet | 'internet' | undefined = rack.equipment.get(at)?.uplink;
    at = up === undefined || up === 'internet' ? undefined : up.device;
  }
  return [...passed].slice(1);
}

function moved(
  rack: Rack,
  { name, power }: Entry,
  seen: Seen,
  from: Outlet,
  to: Outlet,
): CableFinding {
  const [was, is] = [formatOutlet(from), formatOutlet(to)];
  const [feed, second] = power;
  const isFedByPort = feed !== undefined && second === undefined && formatOutlet(feed) === was;
  const text = { found: `is at ${is}`, expected: was };
  const edits: RackEdit[] = [{ name, key: 'uplink', value: is }];
  const more = isFedByPort ? powerAt(rack, name, seen, to) : {};
  return differs('moved-cable', name, text, { edits, ...more });
}

/** A cable powers what it connects: if rack.yaml has its outlet at another switch port, the cable was moved earlier. */
function ofOutlet(
  rack: Rack,
  { name, power: [feed, second] }: Entry,
  seen: Seen,
  uplink: Outlet,
): CableFinding[] {
  const isPort =
    models.get(rack.equipment.get(feed?.device ?? '')?.model ?? '')?.network !== undefined;
  if (feed === undefined || second !== undefined || !isPort) return [];
  const [was, is] = [formatOutlet(feed), formatOutlet(uplink)];
  if (was === is) return [];
  const proposed = powerAt(rack, name, seen, uplink);
  if (!('power' in proposed)) return [];
  const text = { found: `is plugged into ${is}`, expected: `${was}, its outlet in rack.yaml` };
  return [differs('wrong-outlet', name, text, proposed)];
}

/** The port as its outlet, if it can supply power and a single card is plugged in. */
function powerAt(rack: Rack, name: string, seen: Seen, to: Outlet): Pick<CableFinding, 'power'> {
  const [card, another] = seen.cardsAt(to);
  if (card === undefined || another !== undefined || !canFeed(rack, to)) return {};
  return { power: { edit: { name, key: 'power', value: formatOutlet(to) }, card } };
}

function canFeed(rack: Rack, { device, outlet }: Outlet): boolean {
  const to = rack.equipment.get(device);
  const power = to && models.get(to.model)?.power;
  return to !== undefined && power?.outlets.find(outlet, to.options) !== undefined;
}

/** Its cable is in another port of its switch, together with other cards. */
function elsewhere({ name }: Entry, from: Outlet, behind: Outlet): CableFinding {
  return differs('moved-cable', name, {
    found: `is somewhere behind ${formatOutlet(behind)}`,
    expected: formatOutlet(from),
    advice:
      'trace the cable; it may be plugged into a switch that is not in rack.yaml, or that could not be read',
  });
}

function dead({ name }: Entry, port: Outlet): CableFinding {
  return differs('dead-port', name, {
    found: `port ${formatOutlet(port)} has no link`,
    advice: `check the cable, and check the power with skolo power status ${name}. If ${name} was removed from the rack, remove it from rack.yaml`,
  });
}

/** Another card is at its port or has its address, and its own card is not seen. */
function replacement(
  { name, mac, address }: Entry,
  uplink: Outlet,
  seen: Seen,
  known: ReadonlySet<string>,
): CableFinding | undefined {
  if (mac === undefined || seen.isSeen(mac)) return undefined;
  const atPort = seen.isTrunk(uplink) ? [] : [...seen.cardsAt(uplink)];
  const atAddress = address === undefined ? [] : [...seen.holdersOf(address)];
  const found = new Set([...atPort, ...atAddress].filter((each) => !known.has(each)));
  const [value, second] = found;
  if (value === undefined || second !== undefined) return undefined;
  const where = [
    ...(atPort.includes(value) ? [`at port ${formatOutlet(uplink)}`] : []),
    ...(atAddress.includes(value) ? [`at address ${address}`] : []),
  ].join(' and ');
  const text = {
    found: `${value} is ${where}`,
    expected: `${mac} (\`mac\` in rack.yaml), which was not found`,
    advice: doubtOf(seen, value),
  };
  return differs('wrong-mac', name, text, { edits: [{ name, key: 'mac', value }] });
}

function ofAddress({ name, mac, address }: Entry, seen: Seen): CableFinding[] {
  if (mac === undefined || address === undefined || address.includes(':')) return [];
  const now = seen.addressesOf(mac);
  const [value, second] = now;
  if (value === undefined || second !== undefined || value === address) return [];
  const text = { found: `uses the address ${value}`, expected: address };
  return [differs('wrong-address', name, text, { edits: [{ name, key: 'address', value }] })];
}

/** Cards that have a port to themselves but no entry. */
function strangers(
  rack: Rack,
  entries: readonly Entry[],
  seen: Seen,
  known: ReadonlySet<string>,
  findings: readonly CableFinding[],
): CableFinding[] {
  const explained = new Set(
    findings.flatMap(({ edits }) =>
      edits.flatMap(({ key, value }) => (key === 'mac' ? [value] : [])),
    ),
  );
  const attached = new Set(
    [...rack.machines.values()].flatMap(({ devices }) =>
      devices.flatMap(({ address }) => (address === undefined ? [] : [...seen.holdersOf(address)])),
    ),
  );
  const isExpected = (port: Outlet) =>
    entries.some(
      (entry) =>
        entry.uplink !== undefined &&
        formatOutlet(entry.uplink) === formatOutlet(port) &&
        seen.idsOf(entry).size === 0,
    );
  return seen.singles().flatMap(({ port, mac }) => {
    if (known.has(mac) || explained.has(mac) || attached.has(mac) || isExpected(port)) return [];
    // Several ports see it, on the path to its location.
    if (seen.placesOf(new Set([mac])).length > 1) return [];
    return [stranger(rack, entries, seen, port, mac)];
  });
}

function stranger(
  rack: Rack,
  entries: readonly Entry[],
  seen: Seen,
  port: Outlet,
  mac: string,
): CableFinding {
  const [address] = seen.addressesOf(mac);
  const hostname = seen.hostnameOf(mac);
  const isFree =
    /^[a-z0-9][a-z0-9-]*$/.test(hostname ?? '') && !entries.some(({ name }) => name === hostname);
  const name = isFree ? hostname : `unknown-${mac.slice(9).replaceAll(':', '')}`;
  const at = address === undefined ? '' : `address: ${address}, `;
  const uplink = formatOutlet(port);
  const above = pathOut(rack, port.device)
    .map((equipment) => entries.find((each) => each.name === equipment))
    .find((each) => each !== undefined && seen.idsOf(each).size === 0);
  const advice = above
    ? `if this is ${above.name}, add \`mac: ${mac}\` to its entry`
    : `add to rack.yaml: \`${name}: { kind: host, ${at}mac: ${mac}, uplink: ${uplink} }\``;
  return differs('unknown-machine', uplink, {
    found: `${mac} is connected${address === undefined ? '' : `, at ${address}`}${hostname ? `, named ${hostname}` : ''}`,
    advice: [advice, doubtOf(seen, mac) ?? []].flat().join('. '),
  });
}

/** A compromised switch can report any card; undefined: another device reports this one too. */
function doubtOf(seen: Seen, mac: string): string | undefined {
  const equipment = seen.onlyWitnessOf(mac);
  return (
    equipment &&
    `Only ${equipment} reports ${mac}; before you accept it, check it on the equipment itself`
  );
}

/** What to do, in one text: its edits, and what a person has to find out. */
export function withEdits(
  finding: CableFinding,
  verified: ReadonlySet<string> = new Set(),
): CableFinding {
  const { thing, edits, power, advice } = finding;
  const when = verified.has(thing) ? '' : ' (once skolo check outlets has verified it)';
  const set = [
    ...edits.map(({ key, value }) => `\`${key}: ${value}\``),
    ...(power ? [`\`power: ${power.edit.value}\`${when}`] : []),
  ];
  const all = [set.length > 0 && `set ${set.join(' and ')} in rack.yaml`, advice];
  return { ...finding, advice: all.filter(Boolean).join('; ') || undefined };
}

function isAt(ports: readonly Outlet[], port: Outlet): boolean {
  return ports.some((each) => formatOutlet(each) === formatOutlet(port));
}
