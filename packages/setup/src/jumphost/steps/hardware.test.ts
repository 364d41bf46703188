/** Real disks, as smartctl described them to other people. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { diskWear } from './hardware.ts';

const Recordings = z.array(
  z.object({
    disk: z.string(),
    note: z.string(),
    passed: z.boolean().optional(),
    endurance: z.number().optional(),
    attributes: z.array(z.string()).default([]),
    nvme: z.record(z.string(), z.number()).optional(),
    error: z.string().optional(),
  }),
);
type Recording = z.infer<typeof Recordings>[number];

const recordings = Recordings.parse(
  parse(readFileSync(new URL('testdata/smartctl.yaml', import.meta.url), 'utf8')),
);

/** As smartctl prints it. */
function printed({ passed, endurance, attributes, nvme, error }: Recording): string {
  const table = attributes.map((row) => {
    const [id, name, value, worst, thresh, raw] = row.split(' ');
    const numbers = { id: Number(id), value: Number(value), worst: Number(worst) };
    return { ...numbers, name, thresh: Number(thresh), raw: { string: raw } };
  });
  return JSON.stringify({
    smartctl: { messages: error ? [{ string: error, severity: 'error' }] : [] },
    ...(passed !== undefined && { smart_status: { passed } }),
    ...(endurance !== undefined && { endurance_used: { current_percent: endurance } }),
    ...(nvme && { nvme_smart_health_information_log: nvme }),
    ...(table.length > 0 && { ata_smart_attributes: { revision: 1, table } }),
  });
}

const failed =
  'the disk fails its SMART health check; replace the jumphost (skolo jumphost replace)';

it.each(recordings)('reads the wear of $disk', (recording) => {
  const differs = recording.passed === false ? [failed] : [];
  const { endurance: _, ...older } = recording;

  expect(diskWear(printed(recording))).toEqual({ differs, note: recording.note });
  // Before smartctl 7.4, which Debian 12 does not have.
  expect(diskWear(printed(older))).toEqual({ differs, note: recording.note });
});

it('reports a disk before it fails', () => {
  const text = printed({ disk: 'worn', note: '', attributes: [], nvme: { percentage_used: 93 } });

  expect(diskWear(text).differs).toEqual([
    'disk 93% worn; replace the jumphost (skolo jumphost replace)',
  ]);
  expect(diskWear('')).toEqual({ differs: [], note: 'disk wear unknown' });
});
