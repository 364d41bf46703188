/**
 * A router with FRRouting: the tables of its Linux, see families/unix/linux-stations.ts. FRR itself has none, so an account whose shell is
 * vtysh cannot be asked.
 */
import { DeviceRefused } from '@skolo/equipment';
import type { Device } from '../contract/device.ts';
import type { StationReader } from '../contract/stations.ts';
import { linuxStations } from '../families/unix/linux-stations.ts';

const ofLinux = linuxStations([]);

export function stations(device: Device): StationReader {
  const reader = ofLinux(device);
  return {
    async read(access) {
      try {
        return await reader.read(access);
      } catch (error) {
        if (!(error instanceof DeviceRefused) || !/% Unknown command/.test(error.message))
          throw error;
        const what =
          'the shell of its login is vtysh, which has no ARP table; a login with a Unix shell has one';
        throw new DeviceRefused(device.name, what, { cause: error });
      }
    },
  };
}
