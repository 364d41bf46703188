/** Every name is one thing: machines, infrastructure, the jumphost and its aliases, attached devices. */
import type { Draft, Report } from '../draft.ts';

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
      );
  }
}
