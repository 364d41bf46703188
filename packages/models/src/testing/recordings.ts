/** Outputs of real devices, with the rows that other people's parsers find in them. They are not part of this repository. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';

const folder = join(import.meta.dirname, '../../../../../shared/recordings');
const outputs = join(folder, 'ntc-templates');

export const hasRecordings = existsSync(folder);

const Rows = z.object({
  parsed_sample: z.array(z.record(z.string(), z.union([z.string(), z.array(z.string())]))),
});

export interface RecordedOutput {
  /** `cisco_ios/show_arp/cisco_ios_show_arp`. */
  name: string;
  text: string;
  /** A list is joined with commas. */
  rows: Record<string, string>[];
}

/** The outputs of a command on a platform. */
export function recordedOutputs(platform: string, command: string): RecordedOutput[] {
  const place = join(outputs, platform, command.replaceAll(' ', '_'));
  if (!existsSync(place)) return [];
  const files = readdirSync(place).filter((file) => file.endsWith('.raw'));
  return files.sort().map((file) => {
    const name = file.slice(0, -'.raw'.length);
    const read = (end: string) => readFileSync(join(place, `${name}${end}`), 'utf8');
    const { parsed_sample } = Rows.parse(parse(read('.yml')));
    const rows = parsed_sample.map((row) =>
      Object.fromEntries(Object.entries(row).map(([key, value]) => [key, String(value)])),
    );
    return { name: `${platform}/${name}`, text: read('.raw'), rows };
  });
}
