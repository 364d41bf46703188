import { YamlText } from './yaml-text.ts';

const only = '127.0.0.1';
const sshPort = 22_101;

/**
 * The demo's rack for a computer whose only loopback address is 127.0.0.1, such as macOS: only its first machine, at that address. No
 * caller can have the others' addresses. What has its own port stays.
 */
export function withOneAddress(text: string): string {
  const rack = new YamlText(text);
  const [first, ...others] = rack.keysAt(['machines']);
  for (const name of others) rack.delete(['machines', name]);
  if (first !== undefined) {
    rack.set(['machines', first, 'address'], only);
    // The jumphost has the same address: a machine may share it if its entry has its port.
    rack.set(['machines', first, 'port'], sshPort);
  }
  for (const name of rack.keysAt(['equipment'])) {
    rack.set(['equipment', name, 'address'], only);
  }
  // Otherwise only that machine used the other identity.
  rack.set(['jumphost', 'identity'], 'guests');
  return rack.text;
}
