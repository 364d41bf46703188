/** All models that can be backed up, by the name that rack.yaml gives. To add one: a file, and a line here. */
import type { InfrastructureDevice } from '@skolo/rack';
import { apcRpdu, apcRpdu2 } from './apc-rpdu.ts';
import { ciscoIos } from './cisco-ios.ts';
import { edgeos } from './edgeos.ts';
import { edgeswitch } from './edgeswitch.ts';
import { eos } from './eos.ts';
import { frr } from './frr.ts';
import { generic } from './generic.ts';
import { junos } from './junos.ts';
import { linux } from './linux.ts';
import type { BackupModel } from './model.ts';
import { mpower } from './mpower.ts';
import { nxos } from './nxos.ts';
import { openwrt } from './openwrt.ts';
import { procurve } from './procurve.ts';
import { routeros } from './routeros.ts';
import { unifiSwitch } from './unifi-switch.ts';
import { vyos } from './vyos.ts';

export const backupModels: ReadonlyMap<string, (device: InfrastructureDevice) => BackupModel> =
  new Map<string, (device: InfrastructureDevice) => BackupModel>([
    ['frr', frr],
    ['linux', linux],
    ['nxos', nxos],
    ['junos', junos],
    ['eos', eos],
    ['routeros', routeros],
    ['procurve', procurve],
    ['edgeos', edgeos],
    ['vyos', vyos],
    ['unifi-switch', unifiSwitch],
    ['mpower', mpower],
    ['openwrt', openwrt],
    ['apc-rpdu', apcRpdu],
    ['apc-rpdu2', apcRpdu2],
    ['generic', generic],
    ['edgeswitch', edgeswitch],
    ['cisco-ios', ciscoIos],
  ]);
