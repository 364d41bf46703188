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
      ...systemGroup({ descr: 'APC Switched Rack PDU, AP7930 (simulated)', objectId, name: 'pdu' }),
      ...firstGenerationTables(bank, faults),
    ]),
    restart: () => bank.restart(),
    stop: () => bank.stop(),
  };
}
