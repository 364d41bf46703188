/** Settings of outlets on a device, compared with rack.yaml. Pure. */
import { fewOf } from '@skolo/computers';
import { models } from '@skolo/models';
import type { OutletSettings } from '@skolo/models/outlets';
import type { problemKinds } from '@skolo/models/proofs';
import type { Rack } from '@skolo/rack';

export interface Problem {
  kind: (typeof problemKinds)[number];
  /** For people. */
  what: string;
}

/** @param loads names of what each outlet feeds, by outlet */
export function oddSettings(
  rack: Rack,
  model: string,
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
  const grouped = (kind: Problem['kind'], of: readonly Outlet[], why: (each: Outlet) => string) =>
    [...Map.groupBy(of.filter(why), why)].map(([text, group]) => {
      const names = fewOf(group.map(({ outlet }) => outlet));
      return { kind, what: `${noun}${group.length > 1 ? 's' : ''} ${names}: ${text}` };
    });

  const isKnown = (name: string) =>
    name === rack.jumphost.name || rack.machines.has(name) || rack.infrastructure.has(name);
  const names = grouped('name', all, ({ name = '', feeds }) =>
    !isKnown(name) || feeds.includes(name)
      ? ''
      : `named ${name} on the device, but wired to ${feeds.join(', ') || 'nothing'} in rack.yaml`,
  );
  // Before anything is wired in rack.yaml, any outlet may be in use.
  const failure = grouped('power-failure', used.length > 0 ? used : all, ({ staysOff }) =>
    staysOff === undefined ? '' : `left off after a power failure, because ${staysOff}`,
  );
  // Without `offSeconds`, skolo lets the device cycle the outlet for as long as the device's setting says.
  const times = grouped('off-time', used, ({ cycleSeconds = Infinity, feeds }) => {
    const wanted = Math.max(...feeds.map((name) => rack.machines.get(name)?.offSeconds ?? 0));
    return cycleSeconds >= wanted
      ? ''
      : `the device's built-in power cycle lasts ${cycleSeconds} s, but \`offSeconds\` in rack.yaml is ${wanted}, so skolo turns the outlet off and on itself. To use the built-in cycle, set the reboot duration on the device to at least ${wanted} s`;
  });
  return [...names, ...failure, ...times];
}
