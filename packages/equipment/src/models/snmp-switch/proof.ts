/** What its tests are made with. */
import { startTablePdu, tablePduModel } from '@skolo/simulators';
import type { ModelProof } from '../testing/proof.ts';
import type { SnmpSetup } from '../testing/snmp.ts';
import { outlets as driver } from './snmp-switch.ts';

export const objects = '1.3.6.1.4.1.9999';
export const table = {
  on: { object: `${objects}.4.0.{outlet}`, value: 1 },
  off: { object: `${objects}.3.0.{outlet}`, value: 1 },
  read: { object: `${objects}.2.{outlet-1}`, on: [7], off: [8] },
  watts: `${objects}.5.{outlet}`,
};
const outlets = ['1', '2', '3', '4', '5', '6', '7', '8'];

/** A PDU that has these objects, and its description. */
export function setupOf(described: Parameters<typeof startTablePdu>[0]['table']): SnmpSetup {
  return {
    kind: driver,
    start: (options) => startTablePdu({ table: described, outlets }, options),
    model: () => tablePduModel({ table: described, outlets }),
    options: { ...described, outlets: 8 },
  };
}
export const setup = setupOf(table);

export const proof: ModelProof = {
  outlets: [{ over: 'snmp', setup, outlet: '3', others: ['9', '3.1', '1.3'] }],
  answering: [
    {
      over: 'snmp',
      options: {
        on: { object: '1.3.6.1.4.1.9999.1.{outlet}', value: 1 },
        off: { object: '1.3.6.1.4.1.9999.1.{outlet}', value: 2 },
        read: { object: '1.3.6.1.4.1.9999.2.{outlet}', on: [7], off: [8] },
        watts: '1.3.6.1.4.1.9999.3.{outlet}',
      },
      outlet: '1',
      beside: '2',
      answers: {
        '': [
          {
            '1.3.6.1.4.1.9999.1.1': 1,
            '1.3.6.1.4.1.9999.1.2': 1,
            '1.3.6.1.4.1.9999.2.1': 7,
            '1.3.6.1.4.1.9999.2.2': 8,
            '1.3.6.1.4.1.9999.3.1': 40,
          },
          '1.3.6.1.4.1.9999.2.1',
          '1.3.6.1.4.1.9999.1.1',
        ],
      },
      off: 'set 1.3.6.1.4.1.9999.1.1=2',
      on: 'set 1.3.6.1.4.1.9999.1.1=1',
    },
  ],
  testedWith: {
    outlets: "Debian's snmpd",
  },
  recorded: { no: 'rack.yaml describes the equipment' },
};
