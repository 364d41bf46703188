/** States what is known about a silent machine: readings of its outlets, equipment and link, and then what follows from all of them. Pure. */
import type { Evidence, Machine, MachinePower } from '@skolo/api';
import { words } from '@skolo/api/words';
import type { PowerView } from '../join/sources.ts';

/** Whether ports of a switch have a link, by name; or why that is not known. */
export type Links = ReadonlyMap<string, boolean> | string;

export interface EvidenceSources {
  power?: Pick<PowerView, 'machines' | 'controllers'> | undefined;
  /** Of a switch. */
  links(equipment: string): Links;
  /** Why the last request to its agent failed. */
  why?: string | undefined;
}

/** The machine's network stack answers, or that of something in front of it. */
const refused = /refused|ECONNREFUSED|reset|ECONNRESET/;

/** An outlet that is off comes first, because a person can turn it on. */
export function evidenceOf(
  { name, wiring, cause }: Subject,
  { power, links, why = 'no request was made yet' }: EvidenceSources,
): Evidence[] {
  const { uplink, power: feeds } = wiring;
  const equipment = [...new Set([...feeds, ...(uplink === undefined ? [] : [uplink])].map(nameIn))];
  const outlets = power?.machines.get(name)?.outlets ?? [];
  const found = [
    ...outlets.toSorted((a, b) => rankOf(a) - rankOf(b)).flatMap(ofOutlet),
    ...equipment.flatMap((each) => ofEquipment(each, power)),
  ];
  const hasNoPower = outlets.length > 0 && outlets.every((outlet) => ofOutlet(outlet).length > 0);
  // A cause may explain some of the machines behind it only.
  const isCutOff =
    (cause?.kind === 'equipment' && hasLink(uplink, links) !== true) ||
    (uplink !== undefined && power?.controllers.get(nameIn(uplink))?.state === 'down');
  if (refused.test(why) && !hasNoPower && !isCutOff) {
    const text = `the machine responds, but its agent does not: ${why}`;
    return [...found, { kind: 'agent-silent', text: words(text) }];
  }
  return [...found, ofLink(uplink, links, why)];
}

type Subject = Pick<Machine, 'name' | 'wiring' | 'cause'>;

/** A port may be called `ge-0/0/1`. */
function nameIn(outlet: string): string {
  return outlet.slice(0, outlet.indexOf('/'));
}

function rankOf({ state }: MachinePower['outlets'][number]): number {
  return state === 'off' ? 0 : 1;
}

function ofEquipment(name: string, power: EvidenceSources['power']): Evidence[] {
  const found = power?.controllers.get(name);
  if (found?.state !== 'down') return [];
  const text = `${name} is down${found.detail === undefined ? '' : `: ${found.detail}`}`;
  return [{ kind: 'equipment-down', text: words(text) }];
}

function ofOutlet({
  outlet,
  state,
  switchedOff,
  stuckOff,
  fault,
}: MachinePower['outlets'][number]): Evidence[] {
  if (state === 'off' && switchedOff) {
    const { by, reason } = switchedOff;
    const text = `outlet ${outlet} stays off until someone turns it on: turned off by ${by}: ${reason}`;
    return [{ kind: 'switched-off', text: words(text) }];
  }
  if (state === 'off') {
    // Services do not read its settings: one more session would be in the way of those that restore power.
    const reason = stuckOff
      ? 'it does not turn on'
      : 'nobody turned it off with skolo; skolo check equipment shows whether a setting keeps it off after a power failure';
    return [{ kind: 'outlet-off', text: words(`outlet ${outlet} is off: ${reason}`) }];
  }
  if (fault === undefined) return [];
  const text = `outlet ${outlet} is on, but delivers no power: ${fault}`;
  return [{ kind: 'outlet-fault', text: words(text) }];
}

function ofLink(
  uplink: string | undefined,
  links: EvidenceSources['links'],
  why: string,
): Evidence {
  const known =
    uplink === undefined ? 'rack.yaml does not say at which port it is' : links(nameIn(uplink));
  const isUp = hasLink(uplink, links);
  if (isUp === false) return { kind: 'no-link', text: words(`port ${uplink} has no link`) };
  const link = isUp
    ? `port ${uplink} has a link`
    : `its link is unknown (${typeof known === 'string' ? known : `${uplink} was not listed`})`;
  const text = `${link}, but the machine does not respond: ${why}`;
  return { kind: 'no-answer', text: words(text) };
}

/** Returns undefined if that is not known. */
function hasLink(uplink: string | undefined, links: EvidenceSources['links']): boolean | undefined {
  const known = uplink === undefined ? '' : links(nameIn(uplink));
  return typeof known === 'string'
    ? undefined
    : known.get(uplink?.slice(uplink.indexOf('/') + 1) ?? '');
}
