/** Decides which edits can be written together. Pure. A port in rack.yaml belongs to one entry, as its uplink, its outlet, or both. */
import { formatOutlet, type Rack } from '@skolo/rack';
import type { RackEdit } from '@skolo/rack/edit';
import type { CableFinding } from './compare.ts';
import { entriesOf } from './seen.ts';

interface PossibleEdits {
  edits: RackEdit[];
  /** Findings whose edits cannot be made now. */
  blocked: { name: string; why: string }[];
}

/** An entry's new values by key, with outlets kept separately. */
interface Plan {
  name: string;
  uplink: string | undefined;
  address: string | undefined;
  mac: string | undefined;
  power: readonly string[];
}

/** @param verified names whose outlet a power cycle has verified */
export function possibleEdits(
  rack: Rack,
  findings: readonly CableFinding[],
  verified: ReadonlySet<string>,
): PossibleEdits {
  const blocked = new Map<CableFinding, string>();
  const editsOf = (finding: CableFinding) =>
    blocked.has(finding)
      ? []
      : [
          ...finding.edits,
          ...(finding.power && verified.has(finding.thing) ? [finding.power.edit] : []),
        ];
  // An entry that cannot move blocks the next one's port.
  for (let before = -1; before !== blocked.size; ) {
    before = blocked.size;
    const plans = plansOf(rack, findings.flatMap(editsOf));
    for (const finding of findings) {
      const why = editsOf(finding)
        .map((edit) => whyTaken(edit, plans, findings))
        .find(Boolean);
      if (why !== undefined) blocked.set(finding, why);
    }
  }
  return {
    edits: findings.flatMap(editsOf),
    blocked: [...blocked].map(([{ thing: name }, why]) => ({ name, why })),
  };
}

function plansOf(rack: Rack, edits: readonly RackEdit[]): Plan[] {
  return entriesOf(rack).map(({ name, uplink, address, mac, power }) => {
    const own = new Map(
      edits.flatMap((edit) => (edit.name === name ? [[edit.key, edit.value]] : [])),
    );
    const feed = own.get('power');
    return {
      name,
      uplink: own.get('uplink') ?? (uplink && formatOutlet(uplink)),
      address: own.get('address') ?? address,
      mac: own.get('mac') ?? mac,
      power: feed === undefined ? power.map(formatOutlet) : [feed],
    };
  });
}

function whyTaken(
  { name, key, value }: RackEdit,
  plans: readonly Plan[],
  findings: readonly CableFinding[],
): string | undefined {
  const isPort = key === 'uplink' || key === 'power';
  const holder = plans.find((plan) => {
    if (plan.name === name) return false;
    if (isPort) return plan.uplink === value || plan.power.includes(value);
    // A cabling audit sees no serial numbers of phones.
    return key !== 'serial' && key !== 'powerVerified' && plan[key] === value;
  });
  if (holder === undefined) return undefined;
  const itsOwn = findings.find((finding) => finding.thing === holder.name);
  if (itsOwn?.power !== undefined) {
    return `${value} is still assigned to ${holder.name} in rack.yaml; skolo check outlets must verify the new outlet of ${holder.name} first`;
  }
  return `${value} belongs to ${holder.name} in rack.yaml; find that machine and run the command again`;
}
