/** Output of smartctl 7.3 and 7.4, shortened to what is read here and a little around it. */
import { expect, it } from 'vitest';
import { diskWear } from './hardware.ts';

const nvme = (used: number, passed = true) => `{
  "smartctl": { "version": [7, 4], "exit_status": 0 },
  "device": { "name": "/dev/nvme0n1", "type": "nvme", "protocol": "NVMe" },
  "smart_status": { "passed": ${passed}, "nvme": { "value": 0 } },
  "nvme_smart_health_information_log": {
    "critical_warning": 0, "temperature": 41, "available_spare": 100, "available_spare_threshold": 10,
    "percentage_used": ${used}, "data_units_written": 25771349, "power_cycles": 412, "unsafe_shutdowns": 9
  }
}`;
const sata = `{
  "smartctl": { "version": [7, 3], "exit_status": 0 },
  "device": { "name": "/dev/sda", "type": "sat", "protocol": "ATA" },
  "smart_status": { "passed": true },
  "ata_smart_attributes": { "revision": 1, "table": [
    { "id": 5, "name": "Reallocated_Sector_Ct", "value": 100, "worst": 100, "thresh": 10, "raw": { "value": 0, "string": "0" } },
    { "id": 177, "name": "Wear_Leveling_Count", "value": 97, "worst": 97, "thresh": 0, "raw": { "value": 71, "string": "71" } }
  ] }
}`;
const noPermission = `{
  "smartctl": { "version": [7, 5], "messages": [
    { "string": "Smartctl open device: /dev/nvme0n1 failed: Permission denied", "severity": "error" }
  ], "exit_status": 2 }
}`;

it.each([
  ['NVMe', nvme(2), 'disk 2 % worn'],
  ['SATA', sata, 'disk 3 % worn'],
  ['a disk that does not say it', noPermission, 'wear of the disk unknown'],
  ['nothing', '', 'wear of the disk unknown'],
])('reads the wear of %s', (_, text, note) => {
  expect(diskWear(text)).toEqual({ differs: [], note });
});

it('reports a disk before it fails', () => {
  expect(diskWear(nvme(93)).differs).toEqual([
    'disk 93 % worn; replace it (skolo jumphost replace)',
  ]);
  expect(diskWear(nvme(5, false)).differs[0]).toContain('the self-check of its disk has failed');
});
