/** All models, by the name that rack.yaml gives. To add one: a file of facts, and a line here. */
import { apcRpdu } from './apc-rpdu.ts';
import { apcRpdu2 } from './apc-rpdu2.ts';
import { ciscoIos } from './cisco-ios.ts';
import { commandSwitch } from './command-switch.ts';
import { edgeos } from './edgeos.ts';
import { edgeswitch } from './edgeswitch.ts';
import { eos } from './eos.ts';
import { frr } from './frr.ts';
import { generic } from './generic.ts';
import { httpSwitch } from './http-switch.ts';
import { ipmi } from './ipmi.ts';
import { junos } from './junos.ts';
import { linux } from './linux.ts';
import type { Model } from './model.ts';
import { mpower } from './mpower.ts';
import { mqttSwitch } from './mqtt-switch.ts';
import { nxos } from './nxos.ts';
import { openwrt } from './openwrt.ts';
import { procurve } from './procurve.ts';
import { redfish } from './redfish.ts';
import { routeros } from './routeros.ts';
import { shellyGen1 } from './shelly-gen1.ts';
import { shellyGen2 } from './shelly-gen2.ts';
import { snmpPoe } from './snmp-poe.ts';
import { synaccess } from './synaccess.ts';
import { tasmota } from './tasmota.ts';
import { unifiSwitch } from './unifi-switch.ts';
import { vyos } from './vyos.ts';

export const models: ReadonlyMap<string, Model> = new Map(
  [
    edgeos,
    vyos,
    frr,
    linux,
    openwrt,
    ciscoIos,
    nxos,
    junos,
    eos,
    routeros,
    procurve,
    edgeswitch,
    unifiSwitch,
    snmpPoe,
    synaccess,
    apcRpdu,
    apcRpdu2,
    mpower,
    tasmota,
    shellyGen1,
    shellyGen2,
    ipmi,
    redfish,
    mqttSwitch,
    httpSwitch,
    commandSwitch,
    generic,
  ].map((model) => [model.name, model]),
);
