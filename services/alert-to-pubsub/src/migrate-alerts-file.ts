/**
 * Brings the alerts that version 0.1 knew, in `alerts.json`, into the spool's snapshot. To be deleted in the next minor
 * version, with its test.
 */
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { readFileIfExists, writeSnapshot } from '@skolo/durable';
import { parseJson } from '@skolo/errors';
import { z } from 'zod';

const AlertsFile = z.object({ next: z.int().min(1), alerts: z.array(z.unknown()) });

/** Nothing of a file that cannot be read: the known alerts then come from the spool alone. @throws Error Of the system. */
export async function migrateAlertsFile(stateDir: string): Promise<void> {
  const file = join(stateDir, 'alerts.json');
  const text = await readFileIfExists(file);
  if (text === undefined) return;
  const snapshot = join(stateDir, 'spool', 'snapshot');
  if ((await readFileIfExists(snapshot)) === undefined) {
    const { data } = AlertsFile.safeParse(parseJson(text));
    if (data !== undefined) {
      const { next, alerts } = data;
      await writeSnapshot(snapshot, { next, texts: alerts.map((each) => JSON.stringify(each)) });
    }
  }
  await rename(file, `${file}.0.1`);
}
