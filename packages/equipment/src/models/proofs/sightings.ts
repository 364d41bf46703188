/** Made by `npm run generate` from the files in `docs/proofs`. Do not edit. */
export const sightings: readonly {
  owner: string;
  rack: string;
  model: string;
  firmware: string;
  isSwitched: boolean;
}[] = [];

/** Models for which tests read outputs of real equipment. */
export const recorded: readonly string[] = [
  'aoscx',
  'apc-rpdu',
  'cisco-ios',
  'cumulus-nvue',
  'edgeos',
  'edgeswitch',
  'efos',
  'eos',
  'fortigate',
  'fortimanager',
  'fs-switch',
  'generic',
  'icx',
  'junos',
  'nxos',
  'opnsense',
  'pfsense',
  'procurve',
  'redfish',
  'routeros',
  'shelly-gen1',
  'shelly-gen2',
  'snmp-poe',
  'tnsr',
  'tplink-olt',
  'unifi-switch',
  'vyos',
];
