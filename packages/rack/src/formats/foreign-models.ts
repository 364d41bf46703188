/**
 * The names of models in the programs that skolo replaces, and skolo's. Others are not supported.
 *
 * Sources of `elsewhere`: the files in lib/oxidized/model of github.com/ytti/oxidized, and its docs/Supported-OS-Types.md;
 * etc/rancid.types.base of RANCID 3.13, with its aliases. Here: pdudaemon/drivers of github.com/pdudaemon/pdudaemon, which accept these names.
 */
import { models } from '@skolo/equipment/models';

/** Of Oxidized and RANCID, by a name in one of them, or skolo's. */
export const backedUpModels: ReadonlyMap<string, string> = new Map(
  [...models.values()].flatMap(({ name, elsewhere = [], backup }) =>
    'load' in backup && name !== 'generic' ? [name, ...elsewhere].map((each) => [each, name]) : [],
  ),
);

/** With the number of outlets, and the user that pdudaemon assumes. APC's are switched over SNMP here. */
export const pdudaemonDrivers: Readonly<
  Record<string, { model: string; outlets?: number; username?: string }>
> = {
  apc7900: { model: 'apc-rpdu', outlets: 8 },
  apc7920: { model: 'apc-rpdu', outlets: 8 },
  apc7921: { model: 'apc-rpdu', outlets: 8 },
  apc7932: { model: 'apc-rpdu', outlets: 24 },
  apc7952: { model: 'apc-rpdu', outlets: 24 },
  apc8959: { model: 'apc-rpdu2', outlets: 24 },
  apc9210: { model: 'apc-masterswitch', outlets: 8 },
  apc9218: { model: 'apc-masterswitch', outlets: 8 },
  brennenstuhl_wspl01_tasmota: { model: 'tasmota', outlets: 2 },
  cyberpower81001: { model: 'cyberpower-pdu', outlets: 8 },
  'esphome-http': { model: 'esphome' },
  servertechpro2: { model: 'servertech-jaws', username: 'admin' },
  shelly_gen2: { model: 'shelly-gen2' },
  sonoff_s20_tasmota: { model: 'tasmota', outlets: 1 },
  synnetbooter: { model: 'synaccess', outlets: 8, username: 'admin' },
  tasmota: { model: 'tasmota' },
  ubntmfi3port: { model: 'mpower', outlets: 3, username: 'ubnt' },
  ubntmfi6port: { model: 'mpower', outlets: 6, username: 'ubnt' },
  ubntmfi8port: { model: 'mpower', outlets: 8, username: 'ubnt' },
};

/** The object that pdudaemon's driver `snmpv1` writes, by its name in PowerNet-MIB or POWER-ETHERNET-MIB, or by its OID. */
export const controlPoints: Readonly<Record<string, string>> = {
  rPDUOutletControlOutletCommand: 'apc-rpdu',
  rPDU2OutletSwitchedControlCommand: 'apc-rpdu2',
  pethPsePortAdminEnable: 'snmp-poe',
  sPDUOutletCtl: 'apc-masterswitch',
  '1.3.6.1.2.1.105.1.1.1.3.1.*': 'snmp-poe',
  '1.3.6.1.4.1.318.1.1.12.3.3.1.1.4.*': 'apc-rpdu',
  '1.3.6.1.4.1.318.1.1.26.9.2.4.1.5.*': 'apc-rpdu2',
};
