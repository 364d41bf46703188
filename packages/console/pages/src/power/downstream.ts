/** Lists what depends on outlets, according to the wiring in rack.yaml. */
import type { Machine, RackView } from '@skolo/api/machine-state';

interface Downstream {
  /** Machines, phones and equipment that lose power. */
  dark: string[];
  /** They keep their power, but lose the network. */
  offline: string[];
  /** They have another feed. */
  fedTwice: string[];
}

export function downstream(
  outlets: readonly string[],
  rack: Pick<RackView, 'equipment'>,
  machines: ReadonlyMap<string, Pick<Machine, 'wiring'>>,
): Downstream {
  const equipment = new Map(rack.equipment.map((each) => [each.name, each]));
  const cut = new Set<string>();
  const dark = new Set<string>();
  const unplugged = new Set<string>();
  const touched = new Set<string>();

  function loses(feed: string): void {
    if (cut.has(feed)) return;
    cut.add(feed);
    // A port may be called `ge-0/0/1`.
    const at = feed.indexOf('/');
    const port = equipment
      .get(feed.slice(0, at))
      ?.ports.find(({ port }) => port === feed.slice(at + 1));
    for (const target of port?.powers ?? []) {
      touched.add(target);
      const feeds = equipment.get(target)?.power ?? machines.get(target)?.wiring.power ?? [feed];
      if (feeds.every((each) => cut.has(each))) goesDark(target);
    }
  }

  function goesDark(target: string): void {
    if (dark.has(target)) return;
    dark.add(target);
    for (const { port, connects } of equipment.get(target)?.ports ?? []) {
      loses(`${target}/${port}`);
      connects.forEach(losesNetwork);
    }
  }

  function losesNetwork(target: string): void {
    if (unplugged.has(target)) return;
    unplugged.add(target);
    for (const { connects } of equipment.get(target)?.ports ?? []) connects.forEach(losesNetwork);
  }

  outlets.forEach(loses);
  return {
    dark: [...dark],
    offline: [...unplugged].filter((each) => !dark.has(each)),
    fedTwice: [...touched].filter((each) => !dark.has(each)),
  };
}
