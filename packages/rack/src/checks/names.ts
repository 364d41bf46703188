/** Checks that names of machines, infrastructure, attached devices and the jumphost are unique. */
import { type Draft, type Report, type Spot, within } from '../draft.ts';

const reserved: Readonly<Record<string, string>> = {
  internet: 'an uplink that leaves the rack',
  usb: 'the ports of a machine’s own hub',
  localhost: 'the computer that asks',
  // If this name resolves, the Swarming bot assumes GCE and waits for its metadata.
  'metadata.google.internal': 'a real Google machine',
};

export function checkNames(draft: Draft, report: Report): void {
  const known = new Map<string, Draft['named'][number]>();
  for (const entry of draft.named) {
    const { name, what, path, at } = entry;
    const meaning = Object.hasOwn(reserved, name) ? reserved[name] : undefined;
    if (meaning !== undefined)
      report(path, 'reserved', `"${name}" is reserved: it means ${meaning}`, at);
    const other = known.get(name);
    if (other === undefined) known.set(name, entry);
    else
      report(
        path,
        'name twice',
        `"${name}" is used twice: as ${what} and as ${other.what} (${other.path.join('.')})`,
        at,
        { other: other.path },
      );
  }
  checkIds(draft, report);
}

/** Checks metadata of machines: unique ids, no reserved attribute. */
function checkIds(draft: Draft, report: Report): void {
  const known = new Map<string, { name: string; spot: Spot }>();
  for (const machine of draft.rack.machines.values()) {
    const { id, attributes } = machine.metadata;
    const spot = (...keys: string[]) => within(draft, machine, 'metadata', ...keys);
    if (Object.hasOwn(attributes, 'skolo-machine')) {
      const message = '"skolo-machine" is reserved for the metadata server';
      report(() => spot('attributes', 'skolo-machine'), 'reserved', message, 'key');
    }
    const other = id === undefined ? undefined : known.get(id);
    if (other !== undefined) {
      const message = `${id} is used twice: also by ${other.name}`;
      report(() => spot('id'), 'id twice', message, undefined, { other: other.spot });
    } else if (id !== undefined) known.set(id, { name: machine.name, spot: () => spot('id') });
  }
}
