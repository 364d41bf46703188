/** All drivers, by the model that rack.yaml gives. To add one: a file, and a line here. */
import { apcRpdu } from './apc-rpdu.ts';
import { apcRpdu2 } from './apc-rpdu2.ts';
import { ciscoIos } from './cisco-ios.ts';
import { commandSwitch } from './command-switch.ts';
import type { DriverKind } from './driver.ts';
import { edgeos } from './edgeos.ts';
import { edgeSwitch } from './edgeswitch.ts';
import { httpSwitch } from './http-switch.ts';
import { ipmi } from './ipmi.ts';
import { mpower } from './mpower.ts';
import { mqttSwitch } from './mqtt-switch.ts';
import { openwrt } from './openwrt.ts';
import { redfish } from './redfish.ts';
import { routeros } from './routeros.ts';
import { shellyGen1 } from './shelly-gen1.ts';
import { shellyGen2 } from './shelly-gen2.ts';
import { snmpPoe } from './snmp-poe.ts';
import { synaccess } from './synaccess.ts';
import { tasmota } from './tasmota.ts';
import { unifiSwitch } from './unifi-switch.ts';

export const drivers: ReadonlyMap<string, DriverKind> = new Map(
  [
    edgeSwitch,
    snmpPoe,
    synaccess,
    apcRpdu,
    apcRpdu2,
    unifiSwitch,
    mpower,
    edgeos,
    ciscoIos,
    routeros,
    openwrt,
    tasmota,
    shellyGen1,
    shellyGen2,
    ipmi,
    redfish,
    mqttSwitch,
    httpSwitch,
    commandSwitch,
  ].map((driver) => [driver.model, driver]),
);
