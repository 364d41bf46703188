/** What an Arista switch tells of itself, as far as RANCID and backups ask. */
import type { Command } from './command-table.ts';
import type { LineRun } from './line-cli.ts';

export function eosFacts(serial: string): Command<LineRun>[] {
  return [
    { pattern: 'show version', run: () => version(serial) },
    { pattern: 'show inventory', run: () => inventory(serial) },
    {
      pattern: 'show hostname',
      run: ({ settings }) => {
        const name = settings.running.value('hostname') ?? 'localhost';
        return `Hostname: ${name}\nFQDN:     ${name}\n`;
      },
    },
  ];
}

function version(serial: string): string {
  return `Arista DCS-7050SX3-48YC8-R
Hardware version: 11.03
Serial number: ${serial}
Hardware MAC address: 985d.8200.0001
System MAC address: 985d.8200.0001

Software image version: 4.29.2F
Architecture: i686
Internal build version: 4.29.2F-30640700.4292F
Image format version: 3.0
Image optimization: Default

Uptime: 5 weeks, 6 days, 3 hours and 12 minutes
Total memory: 8099732 kB
Free memory: 6104384 kB

`;
}

function inventory(serial: string): string {
  return `System information
  Model                     Description
  ------------------------- ----------------------------------------------------
  DCS-7050SX3-48YC8         48x25GbE SFP+ & 8x100GbE QSFP Switch

  HW Version  Serial Number  Mfg Date   Epoch
  ----------- -------------- ---------- -----
  11.03       ${serial.padEnd(14)} 2021-05-14 01.00

System has 2 power supply slots
  Slot Model            Serial Number
  ---- ---------------- ----------------
  1    PWR-500AC-F      PSUS3R1ALNUMBER1

`;
}
