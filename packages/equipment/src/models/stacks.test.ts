/** Serial numbers of all members of a stack, whichever member answers for it. */
import { describe, expect, it } from 'vitest';
import { loadBackups } from './load.ts';
import { answering } from './testing/answering.ts';
import { rackDevice } from './testing/outlets.ts';
import { noRecordings, recordedOutputs } from './testing/recordings.ts';

const backups = await loadBackups();

async function identityOf(model: string, about: string) {
  const device = rackDevice(model, {});
  const answer = (command: string) =>
    Buffer.from(/version|hardware|system.information/.test(command) ? about : 'x\n');
  return (await backups.get(model)?.(device).read(answering(device, answer)))?.identity;
}

/** After the other member became master. */
const virtualChassis = `Hardware inventory:
Item             Version  Part number  Serial number     Description
Chassis                                GP0212142211      Virtual Chassis
Routing Engine 0 REV 16   650-036547   GR0217290236      EX2200-C-12P-2G, POE+
Routing Engine 1 REV 05   650-036546   GP0212142211      EX2200-C-12T-2G
FPC 0            REV 16   650-036547   GR0217290236      EX2200-C-12P-2G, POE+
  CPU                     BUILTIN      BUILTIN           FPC CPU
  PIC 1          REV 16   650-036547   GR0217290236      2x (10/100/1000 Base-T or GE SFP)
FPC 1            REV 05   650-036546   GP0212142211      EX2200-C-12T-2G
`;
const router = `Hardware inventory:
Item             Version  Part number  Serial number     Description
Chassis                                JN11D2E7CAFB      MX240
FPC 1            REV 05   650-036546   CAAA0001          MPC Type 2
`;

describe('the serial numbers of a stack', () => {
  it.each([
    [
      'cisco-ios',
      'core1 uptime is 3 weeks\nProcessor board ID FDO2222B0BB\nSwitch 01\nSystem serial number            : FDO1111A0AA\n',
      ['FDO2222B0BB', 'FDO1111A0AA'],
    ],
    ['junos', virtualChassis, ['GP0212142211', 'GR0217290236']],
    ['junos', virtualChassis.replaceAll('\n', '\r\n'), ['GP0212142211', 'GR0217290236']],
    [
      'junos',
      'node0:\nChassis      CM1111      SRX300\n\nnode1:\nChassis      CM2222      SRX300\n',
      ['CM1111', 'CM2222'],
    ],
    [
      'procurve',
      ' VSF-Member :1\n\n  Serial Number      : CN85K910F4\n\n VSF-Member :2\n\n  Serial Number      :\n\n VSF-Member :3\n\n  Serial Number      : CN85K9106M\n',
      ['CN85K910F4', 'CN85K9106M'],
    ],
    [
      'edgeswitch',
      'Switch: 1\nSerial Number.................................. AA1\nSwitch: 2\nSerial Number.................................. AA2\n',
      ['AA1', 'AA2'],
    ],
  ])('of %s are those of its members', async (model, about, members) => {
    expect(await identityOf(model, about)).toMatchObject({ serial: members[0], members });
  });

  it.each([
    ['cisco-ios', 'Processor board ID FDO1\nSystem serial number : FDO1\n', 'FDO1'],
    ['junos', router, 'JN11D2E7CAFB'],
  ])('are not those of a single device: %s', async (model, about, serial) => {
    expect(await identityOf(model, about)).toMatchObject({ serial, members: undefined });
  });

  it.skipIf(noRecordings)('of real Cisco stacks are found', async () => {
    const members = await Promise.all(
      recordedOutputs('cisco_ios', 'show version').map(async ({ text }) => {
        return (await identityOf('cisco-ios', text))?.members?.join();
      }),
    );

    expect(members.filter((each) => each !== undefined)).toEqual([
      'FOC11111111,FCW22222222,FCW33333333,FCW44444444',
      'FCW2233FFG3,FCW1234F88V',
    ]);
  });
});
