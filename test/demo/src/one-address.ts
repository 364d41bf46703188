import { parseDocument } from 'yaml';
import { deleteValue, setValue } from './yaml-text.ts';

const only = '127.0.0.1';
const sshPort = 22_101;

/**
 * The demo's rack for a computer that has 127.0.0.1 and no other loopback address, as macOS: its first machine, at
 * that address. No caller can have the address of the others. What has a port of its own stays.
 */
export function withOneAddress(text: string): string {
  const doc = parseDocument(text);
  const [first, ...others] = keysAt(doc, 'machines');
  let changed = text;
  for (const name of others) changed = deleteValue(changed, ['machines', name]);
  if (first !== undefined) {
    changed = setValue(changed, ['machines', first, 'address'], only);
    // The jumphost has this address, too: a machine may share it when its entry has its port.
    changed = setValue(changed, ['machines', first, 'port'], sshPort);
  }
  for (const name of keysAt(doc, 'infrastructure')) {
    changed = setValue(changed, ['infrastructure', name, 'address'], only);
  }
  // Only that machine used the other identity otherwise.
  return setValue(changed, ['jumphost', 'identity'], 'guests');
}

function keysAt(doc: ReturnType<typeof parseDocument>, section: string): string[] {
  const value: unknown = doc.toJS()?.[section];
  return typeof value === 'object' && value !== null ? Object.keys(value) : [];
}
