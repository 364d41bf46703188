/**
 * APC switched rack PDU of the first generation (AP7900 and its family): rPDU of PowerNet-MIB. One object is command
 * and state, 1 on, 2 off, 3 reboot. Its `sysObjectID` 318.1.3.4.5 is by which fence_apc_snmp knows it.
 */
import { Faults, type SimulatedDevice } from '../device.ts';
import { type SnmpModel, type SnmpOptions, snmpFaults, startSnmpAgent } from './agent.ts';
import { ApcBank, type ApcOutlets, firstGenerationTables } from './apc.ts';
import { SnmpMib, systemGroup } from './mib.ts';

export interface ApcRpduOptions extends SnmpOptions, ApcOutlets {}

export function startApcRpdu(options: ApcRpduOptions = {}): Promise<SimulatedDevice> {
  return startSnmpAgent(apcRpduModel(options), options);
}

/** As cards of this generation describe themselves (LibreNMS, Observium: recorded `sysDescr`). */
const description =
  'APC Web/SNMP Management Card (MB:v4.1.1 PF:v3.9.2 PN:apc_hw02_aos_392.bin AF1:v3.9.2 AN1:apc_hw02_rpdu_392.bin MN:AP7930 HR:B2 SN: ZA0000000001 MD:02/24/2006)';

export function apcRpduModel(options: ApcOutlets = {}): SnmpModel {
  const bank = new ApcBank(options, false);
  const faults = new Faults(snmpFaults);
  const objectId = '1.3.6.1.4.1.318.1.3.4.5';
  return {
    model: 'apc-rpdu',
    objectId,
    board: bank.board,
    faults,
    mib: new SnmpMib([
      ...systemGroup({ descr: description, objectId, name: 'pdu' }),
      ...firstGenerationTables(bank, faults),
    ]),
    restart: () => bank.restart(),
    stop: () => bank.stop(),
  };
}
