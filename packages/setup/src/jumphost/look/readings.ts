/**
 * Reads what an SSH sign-in without root can read from a computer that is, or will be, a jumphost. No command changes anything. Each is one
 * line of a plan, except for the facts that the `system` step also uses.
 */

import type { Rack } from '@skolo/rack';
import { judgeSystem, systemScript } from '@skolo/setup/debian';
import { type Check, fewOf, linesOf } from '@skolo/setup/engine';
import { lastResort } from '@skolo/setup/k3s';
import { controllers } from '../existing/find.ts';
import { jumphostSystem } from '../steps/index.ts';
import { judgePorts, listPorts } from './open-ports.ts';

export interface JumphostReading {
  /** One word. */
  name: string;
  command: string;
  /** Problems in `differs`, facts in `note`. @throws Error The text is something else. */
  judge(text: string, rack: Rack, now: () => number): Check;
}

export const jumphostReadings: readonly JumphostReading[] = [
  {
    name: 'system',
    command: systemScript,
    judge(text, _, now) {
      const { differs, facts } = judgeSystem(text, { ...jumphostSystem, now });
      const { id, version, kernel, userland, machine, memoryKib } = facts;
      const memory = `${(memoryKib / 1024 ** 2).toFixed(1)} GiB of memory`;
      return {
        differs,
        note: `${id} ${version}, Linux ${kernel}, ${userland || machine}, ${memory}`,
      };
    },
  },
  {
    name: 'disks',
    command: 'df -kP',
    judge(text) {
      const rows = linesOf(text).map((line) => line.split(/\s+/));
      const disks = rows.flatMap(([device = '', kib, , free, , at]) =>
        device.startsWith('/dev/') ? [`${at} ${gib(free)} of ${gib(kib)} GiB free`] : [],
      );
      return { differs: [], note: fewOf(disks) };
    },
  },
  {
    name: 'clock',
    command: 'timedatectl show --property=NTPSynchronized --property=Timezone',
    judge(text) {
      const zone = /^Timezone=(.*)$/m.exec(text)?.[1] ?? 'unknown time zone';
      if (/^NTPSynchronized=yes$/m.test(text))
        return { differs: [], note: `synchronised, ${zone}` };
      return { differs: ['the clock is not synchronised; enable an NTP client'], note: zone };
    },
  },
  {
    name: 'containers',
    command:
      'for each in k3s kubelet dockerd containerd crio podman; do PATH=$PATH:/usr/local/bin:/usr/sbin command -v $each; done; true',
    judge: (text) => ({ differs: [], note: linesOf(text).join(', ') || 'no container runtime' }),
  },
  {
    name: 'units',
    command: 'systemctl list-units --state=active,activating,failed --plain --no-legend --no-pager',
    judge: judgeUnits,
  },
  { name: 'addresses', command: 'ip -o address', judge: judgeAddresses },
  {
    name: 'routes',
    command: 'ip route',
    judge(text) {
      const defaults = linesOf(text).filter(
        (line) => line.startsWith('default ') && !line.includes(lastResort),
      );
      return {
        differs: [],
        note: fewOf(defaults.map((line) => line.trim())) || 'no default route',
      };
    },
  },
  { name: 'ports', command: listPorts, judge: judgePorts },
];

function gib(kib = '0'): string {
  return (Number(kib) / 1024 ** 2).toFixed(0);
}

function judgeUnits(text: string): Check {
  const units = linesOf(text).map((line) => line.trim().split(/\s+/));
  const failed = units.filter(([, , state]) => state === 'failed');
  const running = units.flatMap(([unit = '', , state]) => (state === 'failed' ? [] : [unit]));
  const power = running.filter(
    (unit) => /\.service$/.test(unit) && !unit.startsWith('skolo-') && controllers.test(unit),
  );
  const services = running.filter((unit) => unit.endsWith('.service')).length;
  return {
    differs: [
      ...failed.map(([unit]) => `${unit} has failed; run journalctl -u ${unit} to see why`),
      ...power.map(
        (unit) =>
          `${unit} is running and may switch the same outlets; see docs/adopt/existing-system.md before you install skolo`,
      ),
    ],
    note: `${services} services are active`,
  };
}

function judgeAddresses(text: string, { jumphost, machines, equipment }: Rack): Check {
  const rows = linesOf(text).map((line) => line.split(/\s+/));
  const own = rows.flatMap(([, device = '', , address = '']) =>
    device === 'lo' || address.startsWith('fe80:')
      ? []
      : [{ device, address, plain: address.replace(/\/\d+$/, '') }],
  );
  const has = (address: string | undefined) => own.some(({ plain }) => plain === address);
  const taken = [...machines.values(), ...equipment.values()].filter(({ address }) => has(address));
  return {
    differs: [
      ...(has(jumphost.address)
        ? []
        : [
            `no interface has ${jumphost.address}, the address of ${jumphost.name} in rack.yaml; to configure it, run skolo jumphost prepare`,
          ]),
      ...taken.map(
        ({ name, address }) => `an interface has ${address}, the address of ${name} in rack.yaml`,
      ),
    ],
    note: fewOf(own.map(({ device, address }) => `${device} ${address}`)),
  };
}
