/** Settings of outlets on a device, compared with rack.yaml. Pure. */
import type { Finding } from '@skolo/base';
import { models } from '@skolo/equipment/models';
import type { OutletSettings } from '@skolo/equipment/models/outlets';
import type { problemKinds } from '@skolo/equipment/models/proofs';
import type { Rack } from '@skolo/rack';
import { fewOf } from '@skolo/setup/engine';

export interface Problem extends Finding {
  kind: (typeof problemKinds)[number];
}

/** What was found on a part of a device, such as an outlet. */
export type Found = Pick<Finding, 'found' | 'expected' | 'advice'>;

/** @param loads names of what each outlet feeds, by outlet */
export function oddSettings(
  rack: Rack,
  { equipment, model }: { equipment: string; model: string },
  settings: ReadonlyMap<string, OutletSettings>,
  loads: ReadonlyMap<string, readonly string[]>,
): Problem[] {
  const noun = models.get(model)?.power?.outlets.noun ?? 'outlet';
  const all = [...settings].map(([outlet, each]) => ({
    outlet,
    ...each,
    feeds: loads.get(outlet) ?? [],
  }));
  const used = all.filter(({ feeds }) => feeds.length > 0);
  type Outlet = (typeof all)[number];
  const grouped = (
    kind: Problem['kind'],
    of: readonly Outlet[],
    judge: (each: Outlet) => Found | undefined,
  ): Problem[] => {
    const judged = of.flatMap((each) => ({ outlet: each.outlet, found: judge(each) ?? [] }));
    const groups = Map.groupBy(judged, ({ found }) => JSON.stringify(found));
    return [...groups.values()].flatMap((group) => {
      const names = fewOf(group.map(({ outlet }) => outlet));
      const thing = `${equipment} ${noun}${group.length > 1 ? 's' : ''} ${names}`;
      return [group[0]?.found ?? []].flat().map((found): Problem => {
        return { kind, thing, state: 'differs', ...found };
      });
    });
  };

  const isKnown = (name: string) =>
    name === rack.jumphost.name || rack.machines.has(name) || rack.equipment.has(name);
  const names = grouped('name', all, ({ name = '', feeds }) =>
    !isKnown(name) || feeds.includes(name)
      ? undefined
      : { found: `named ${name}`, expected: `${feeds.join(', ') || 'nothing'}, as in rack.yaml` },
  );
  // Before anything is wired in rack.yaml, any outlet may be in use.
  const failure = grouped('power-failure', used.length > 0 ? used : all, ({ staysOff }) =>
    staysOff === undefined
      ? undefined
      : { found: `left off after a power failure, because ${staysOff}` },
  );
  // Without `offSeconds`, skolo lets the device cycle the outlet for as long as the device's setting says.
  const times = grouped('off-time', used, ({ cycleSeconds = Infinity, feeds }) => {
    const wanted = Math.max(...feeds.map((name) => rack.machines.get(name)?.offSeconds ?? 0));
    if (cycleSeconds >= wanted) return undefined;
    return {
      found: `the built-in power cycle lasts ${cycleSeconds} s, so skolo turns the outlet off and on itself`,
      expected: `at least ${wanted} s (\`offSeconds\` in rack.yaml)`,
      advice: `to use the built-in cycle, set the reboot duration to at least ${wanted} s`,
    };
  });
  return [...names, ...failure, ...times];
}
