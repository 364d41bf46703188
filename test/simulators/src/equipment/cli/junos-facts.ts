/** What a Juniper switch tells of itself, as far as RANCID and backups ask. Undefined: it does not know the command. */
export function junosFacts(command: string, hostName: string, serial: string): string | undefined {
  switch (command) {
    case 'show version':
    case 'show version detail':
      return `Hostname: ${hostName}
Model: ex2300-24p
Junos: 21.4R3-S5.4
JUNOS OS Kernel 32-bit  [20230922.b1a3f4e_builder_stable_12_214]
JUNOS Base OS boot [21.4R3-S5.4]
`;
    case 'show chassis hardware':
    case 'show chassis hardware detail':
      return `Hardware inventory:
Item             Version  Part number  Serial number     Description
Chassis                                ${serial.padEnd(17)} EX2300-24P
Pseudo CB 0
Routing Engine 0          BUILTIN      BUILTIN           RE-EX2300-24P
FPC 0            REV 18   650-059881   ${serial.padEnd(17)} EX2300-24P
  CPU                     BUILTIN      BUILTIN           FPC CPU
  PIC 0          REV 18   BUILTIN      BUILTIN           24x10/100/1000 Base-T
Power Supply 0                         BUILTIN           JPSU-EX2300-AC
`;
    case 'show chassis alarms':
      return 'No alarms currently active\n';
    case 'show system license':
      return 'License usage: none\n';
    default:
      return undefined;
  }
}
