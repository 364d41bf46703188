/** Finds anything in the rack by name, address, MAC, serial number or port. */
import type { Machine, RackView } from '@skolo/api/machine-state';
import { portHref } from '../parts/links.tsx';
import { hrefOf } from '../parts/router.ts';

export interface Found {
  text: string;
  kind: string;
  /** What matched, if it is not the text. */
  by?: string;
  href: string;
}

const most = 12;

export function find(
  words: string,
  machines: Iterable<Machine>,
  rack: RackView | undefined,
): Found[] {
  const wanted = words.trim().toLowerCase();
  if (wanted === '') return [];
  const found: { rank: number; found: Found }[] = [];

  function offer(
    kind: string,
    text: string,
    href: string,
    fields: readonly (string | undefined)[],
  ) {
    const match = [text, ...fields].find((field) => field?.toLowerCase().includes(wanted));
    if (match === undefined) return;
    const rank = match.toLowerCase() === wanted ? 0 : match === text ? 1 : 2;
    found.push({ rank, found: { kind, text, href, ...(match !== text && { by: match }) } });
  }

  for (const machine of machines) {
    const { devices, wiring } = machine;
    offer('machine', machine.name, hrefOf('machine', [machine.name]), [
      machine.label,
      machine.address,
      machine.mac,
      ...devices.map(({ serial }) => serial),
      wiring.uplink,
      ...wiring.power,
      machine.task?.id,
    ]);
  }
  for (const { name, model, address, ports } of rack?.equipment ?? []) {
    offer(model, name, portHref(name), [address]);
    for (const { port, powers, connects } of ports) {
      if (powers.length + connects.length === 0) continue;
      const id = `${name}/${port}`;
      offer('port', id, portHref(id), []);
    }
  }
  for (const { name } of rack?.services ?? []) offer('service', name, hrefOf('services'), []);
  return found
    .sort((a, b) => a.rank - b.rank)
    .slice(0, most)
    .map(({ found }) => found);
}
