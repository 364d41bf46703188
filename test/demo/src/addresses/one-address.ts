import { YamlText } from './yaml-text.ts';

const only = '127.0.0.1';
const sshPort = 22_101;

/**
 * The demo's rack for a computer that has 127.0.0.1 and no other loopback address, as macOS: its first machine, at
 * that address. No caller can have the address of the others. What has a port of its own stays.
 */
export function withOneAddress(text: string): string {
  const rack = new YamlText(text);
  const [first, ...others] = rack.keysAt(['machines']);
  for (const name of others) rack.delete(['machines', name]);
  if (first !== undefined) {
    rack.set(['machines', first, 'address'], only);
    // The jumphost has this address, too: a machine may share it when its entry has its port.
    rack.set(['machines', first, 'port'], sshPort);
  }
  for (const name of rack.keysAt(['infrastructure'])) {
    rack.set(['infrastructure', name, 'address'], only);
  }
  // Only that machine used the other identity otherwise.
  rack.set(['jumphost', 'identity'], 'guests');
  return rack.text;
}
