/** Decides which names of machines, equipment, attached devices and the jumphost are used twice. Invalid ones: schema/network-fields.ts. */
import { claims, type Draft, type Report, type Spot, within } from '../draft/draft.ts';

const reserved: Readonly<Record<string, string>> = {
  internet: 'an uplink outside the rack',
  usb: 'a port on a machine’s own USB hub',
  localhost: 'the computer that resolves it',
  // If this name resolves, the Swarming bot assumes GCE and waits for its metadata.
  'metadata.google.internal': 'a real Google machine',
};

export function checkNames(draft: Draft, report: Report): void {
  const firstOf = claims<Draft['named'][number]>();
  for (const entry of draft.named) {
    const { name, path, at } = entry;
    const meaning = Object.hasOwn(reserved, name) ? reserved[name] : undefined;
    if (meaning !== undefined)
      report(path, 'reserved', `"${name}" is reserved: it means ${meaning}`, at);
    const other = firstOf(name, entry);
    if (other === undefined) continue;
    const message = `"${name}" is already used for ${other.what} (${other.path.join('.')})`;
    report(path, 'name twice', message, at, { other: other.path });
  }
  checkIds(draft, report);
}

/** Checks machines' metadata: unique IDs, no reserved attribute. */
function checkIds(draft: Draft, report: Report): void {
  const firstOf = claims<{ name: string; spot: Spot }>();
  for (const machine of draft.rack.machines.values()) {
    const { id, attributes } = machine.metadata;
    const spot = (...keys: string[]) => within(draft, machine, 'metadata', ...keys);
    if (Object.hasOwn(attributes, 'skolo-machine')) {
      const message = '"skolo-machine" is reserved for the metadata server';
      report(() => spot('attributes', 'skolo-machine'), 'reserved', message, 'key');
    }
    if (id === undefined) continue;
    const other = firstOf(id, { name: machine.name, spot: () => spot('id') });
    if (other === undefined) continue;
    const message = `${id} is also used by ${other.name}`;
    report(() => spot('id'), 'id twice', message, undefined, { other: other.spot });
  }
}
