/** What a ProCurve tells of itself, as far as RANCID and backups ask. */
import type { Command } from './command-table.ts';
import type { LineRun } from './line-cli.ts';

export function procurveFacts(serial: string): Command<LineRun>[] {
  const system: LineRun = ({ settings }) =>
    systemInformation(settings.running.value('hostname')?.replaceAll('"', '') ?? '', serial);
  return [
    { pattern: 'show system', run: system },
    { pattern: 'show system information', run: system },
    { pattern: 'show system-information', run: system },
    { pattern: 'show version', run: () => version },
    { pattern: 'show flash', run: () => flash },
  ];
}

const version = `Image stamp:    /ws/swbuildm/rel_ajanta_qaoff/code/build/lakes(swbuildm_rel_ajanta_qaoff_rel_ajanta)
                Apr 23 2021 10:41:07
                YA.16.11.0005
                518
Boot Image:     Primary

Boot ROM Version:    YA.15.20
Active Boot ROM:     Primary

`;

const flash = `Image             Size (bytes) Date     Version
----------------- ------------ -------- --------------
Primary Image   :     15771320 04/23/21 YA.16.11.0005
Secondary Image :     15771320 04/23/21 YA.16.10.0012

Boot ROM Version : YA.15.20
Default Boot     : Primary

`;

function systemInformation(name: string, serial: string): string {
  return `
 Status and Counters - General System Information

  System Name        : ${name}
  System Contact     : ann@example.com
  System Location    : rack 4

  MAC Age Time (sec) : 300

  Software revision  : YA.16.11.0005        Base MAC Addr      : 3ca82a-5b1f00
  ROM Version        : YA.15.20             Serial Number      : ${serial}

  Up Time            : 41 days              Memory   - Total   : 66,797,568
  CPU Util (%)       : 4                               Free    : 27,934,896

`;
}
