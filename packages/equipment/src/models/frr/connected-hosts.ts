/**
 * A router with FRRouting: its Linux tables, see families/unix/linux-connected-hosts.ts. FRR itself has none, so they cannot be read
 * through an account whose shell is vtysh.
 */
import { DeviceRejected } from '@skolo/equipment/transports';
import type { ConnectedHostsReader } from '../contract/connected-hosts.ts';
import type { Device } from '../contract/device.ts';
import { linuxConnectedHosts } from '../families/unix/linux-connected-hosts.ts';

const ofLinux = linuxConnectedHosts([]);

export function connectedHosts(device: Device): ConnectedHostsReader {
  const reader = ofLinux(device);
  return {
    async read(access) {
      try {
        return await reader.read(access);
      } catch (error) {
        if (!(error instanceof DeviceRejected) || !/% Unknown command/.test(error.message))
          throw error;
        const what =
          'the login shell is vtysh, which cannot read the ARP table; use a login with a Unix shell';
        throw new DeviceRejected(device.name, what, { cause: error });
      }
    },
  };
}
