/**
 * APC switched rack PDU of the second generation (AP8900 and its family): rPDU2 of PowerNet-MIB, and the older tables.
 * The trap: the command is 1 on, 2 off (and reads back so), the state beside it is 1 off, 2 on.
 *
 * Source: PowerNet-MIB 4.2.6, rPDU2OutletSwitched (26.9.2) and rPDU2OutletMetered (26.9.4: power in W, -1 where it is not
 * metered, current in tenths of A), rPDU2DeviceConfigColdstartDelay (26.4.1.1.6: -1 never apply power automatically).
 */
import { Faults, type SimulatedDevice } from '../device.ts';
import { type SnmpModel, type SnmpOptions, snmpFaults, startSnmpAgent } from './agent.ts';
import {
  ApcBank,
  type ApcOutlets,
  allOutlets,
  column,
  commands,
  firstGenerationTables,
  powerNet,
} from './apc.ts';
import { integer, SnmpMib, systemGroup } from './mib.ts';

interface ApcRpdu2Outlets extends ApcOutlets {
  /** Whether each outlet has a meter (AP8600); default false (AP8900). */
  metered?: boolean;
}

export interface ApcRpdu2Options extends SnmpOptions, ApcRpdu2Outlets {}

export function startApcRpdu2(options: ApcRpdu2Options = {}): Promise<SimulatedDevice> {
  return startSnmpAgent(apcRpdu2Model(options), options);
}

/** As cards of this generation describe themselves (LibreNMS: recorded `sysDescr`). */
const description =
  'APC Web/SNMP Management Card (MB:v4.1.0 PF:v6.8.2 PN:apc_hw05_aos_682.bin AF1:v6.8.0 AN1:apc_hw05_rpdu2g_680.bin MN:AP8941 HR:02 SN: ZA0000000002 MD:08/07/2017)';

export function apcRpdu2Model({ metered = false, ...options }: ApcRpdu2Outlets = {}): SnmpModel {
  const bank = new ApcBank(options, true);
  const { board } = bank;
  const faults = new Faults(snmpFaults);
  const objectId = '1.3.6.1.4.1.318.1.3.4.6';
  const rows = (oid: string, read: (outlet: string) => number | string) =>
    column(bank, faults, oid, read);
  const meters = [
    ...rows('26.9.4.3.1.1', Number),
    ...rows('26.9.4.3.1.6', (outlet) => Math.round(board.watts(outlet) / 23)),
    ...rows('26.9.4.3.1.7', (outlet) => board.watts(outlet)),
  ];
  return {
    model: 'apc-rpdu2',
    objectId,
    board,
    faults,
    mib: new SnmpMib([
      ...systemGroup({ descr: description, objectId, name: 'pdu' }),
      ...firstGenerationTables(bank, faults),
      allOutlets(
        bank,
        '26.4.4.1.4.1',
        new Map([
          [1, 'on'],
          [3, 'off'],
          [4, 'reboot'],
        ]),
      ),
      { oid: `${powerNet}.26.4.1.1.6.1`, read: () => integer(bank.coldstartDelay) },
      ...rows('26.9.2.1.1.1', Number),
      ...rows('26.9.2.1.1.3', (outlet) => bank.nameOf(outlet)),
      ...rows('26.9.2.1.1.5', (outlet) => bank.powerOnTime(outlet)),
      ...rows('26.9.2.1.1.6', () => 0),
      ...rows('26.9.2.1.1.7', () => Math.round(bank.rebootSeconds)),
      ...rows('26.9.2.3.1.1', Number),
      ...rows('26.9.2.3.1.3', (outlet) => bank.nameOf(outlet)),
      ...rows('26.9.2.3.1.4', Number),
      ...rows('26.9.2.3.1.5', (outlet) => (board.isOn(outlet) ? 2 : 1)),
      ...rows('26.9.2.3.1.6', (outlet) => (bank.isPending(outlet) ? 1 : 2)),
      ...rows('26.9.2.4.1.1', Number),
      ...column(bank, faults, '26.9.2.4.1.5', (outlet) => (board.isOn(outlet) ? 1 : 2), commands),
      ...(metered ? meters : []),
    ]),
    restart: () => bank.restart(),
    stop: () => bank.stop(),
  };
}
