/** Every name is one thing: machines, infrastructure, the jumphost and its aliases, attached devices. */
import { type Draft, type Report, type Spot, within } from '../draft.ts';

const reserved: Readonly<Record<string, string>> = {
  internet: 'an uplink that leaves the rack',
  usb: 'the ports of a machine’s own hub',
  localhost: 'whoever asks',
  // The Swarming bot believes that it is on GCE, and waits for all of its metadata, when this name resolves.
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
        `"${name}" is used twice: as ${what}, and as ${other.what} (${other.path.join('.')})`,
        at,
        { other: other.path },
      );
  }
  checkIds(draft, report);
}

/** What the metadata server says of machines: ids differ, and one attribute is its own. */
function checkIds(draft: Draft, report: Report): void {
  const known = new Map<string, { name: string; spot: Spot }>();
  for (const machine of draft.rack.machines.values()) {
    const { id, attributes } = machine.metadata;
    const spot = (...keys: string[]) => within(draft, machine, 'metadata', ...keys);
    if (Object.hasOwn(attributes, 'skolo-machine')) {
      const message = '"skolo-machine" is reserved: the metadata server fills it itself';
      report(() => spot('attributes', 'skolo-machine'), 'reserved', message, 'key');
    }
    const other = id === undefined ? undefined : known.get(id);
    if (other !== undefined) {
      const message = `${id} is used twice: ${other.name} has it already`;
      report(() => spot('id'), 'id twice', message, undefined, { other: other.spot });
    } else if (id !== undefined) known.set(id, { name: machine.name, spot: () => spot('id') });
  }
}
