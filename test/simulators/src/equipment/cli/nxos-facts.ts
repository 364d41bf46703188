/** What a Nexus tells of itself, as far as RANCID and backups ask. */
import type { Command } from './command-table.ts';
import type { LineRun } from './line-cli.ts';

export function nxosFacts(serial: string): Command<LineRun>[] {
  return [
    {
      pattern: 'show version',
      run: ({ settings }) => version(settings.running.value('hostname'), serial),
    },
    { pattern: 'show inventory', run: () => inventory(serial) },
    { pattern: 'show debug', run: () => 'Debug level is set to Minor(1)\n' },
    { pattern: 'show license host-id', run: () => `License hostid: VDH=${serial}\n` },
    {
      pattern: 'show hostname',
      run: ({ settings }) => `${settings.running.value('hostname') ?? 'switch'} \n`,
    },
  ];
}

function version(hostname = 'switch', serial: string): string {
  return `Cisco Nexus Operating System (NX-OS) Software
TAC support: http://www.cisco.com/tac

Software
  BIOS: version 07.69
 NXOS: version 9.3(8)
  BIOS compile time:  04/08/2021
  NXOS image file is: bootflash:///nxos.9.3.8.bin
  NXOS compile time:  8/4/2021 13:00:00 [08/04/2021 22:25:32]

Hardware
  cisco Nexus9000 C93180YC-EX chassis
  Intel(R) Xeon(R) CPU  @ 1.80GHz with 24632712 kB of memory.
  Processor Board ID ${serial}

  Device name: ${hostname}
  bootflash:   53298520 kB
Kernel uptime is 41 day(s), 3 hour(s), 12 minute(s), 7 second(s)

Last reset
  Reason: Unknown
  System version: 9.3(8)
`;
}

function inventory(serial: string): string {
  return `NAME: "Chassis",  DESCR: "Nexus9000 C93180YC-EX chassis"
PID: N9K-C93180YC-EX     ,  VID: V02 ,  SN: ${serial}

NAME: "Slot 1",  DESCR: "48x10/25G/32G + 6x40/100G Ethernet/FC Module"
PID: N9K-C93180YC-EX     ,  VID: V02 ,  SN: ${serial}

NAME: "Power Supply 1",  DESCR: "Nexus9000 C93180YC-EX chassis Power Supply"
PID: NXA-PAC-650W-PI     ,  VID: V01 ,  SN: LIT21100PSU

`;
}
