/** All drivers, by the model that rack.yaml gives. To add one: a file, and a line here. */
import type { DriverKind } from './driver.ts';
import { httpSwitch } from './http-switch.ts';
import { redfish } from './redfish.ts';
import { shellyGen1 } from './shelly-gen1.ts';
import { shellyGen2 } from './shelly-gen2.ts';
import { synaccess } from './synaccess.ts';
import { tasmota } from './tasmota.ts';

export const drivers: ReadonlyMap<string, DriverKind> = new Map(
  [httpSwitch, redfish, shellyGen1, shellyGen2, synaccess, tasmota].map((driver) => [
    driver.model,
    driver,
  ]),
);
