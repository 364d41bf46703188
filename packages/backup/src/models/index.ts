/** All models that can be backed up, by the name that rack.yaml gives. To add one: a file, and a line here. */
import type { InfrastructureDevice } from '@skolo/rack';
import { edgeos } from './edgeos.ts';
import { eos } from './eos.ts';
import { frr } from './frr.ts';
import { junos } from './junos.ts';
import type { BackupModel } from './model.ts';
import { nxos } from './nxos.ts';
import { procurve } from './procurve.ts';
import { routeros } from './routeros.ts';
import { vyos } from './vyos.ts';

export const backupModels: ReadonlyMap<string, (device: InfrastructureDevice) => BackupModel> =
  new Map<string, (device: InfrastructureDevice) => BackupModel>([
    ['frr', frr],
    ['nxos', nxos],
    ['junos', junos],
    ['eos', eos],
    ['routeros', routeros],
    ['procurve', procurve],
    ['edgeos', edgeos],
    ['vyos', vyos],
  ]);
