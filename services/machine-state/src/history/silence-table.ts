/** The table of machines' silences. All is synchronous. */
import type { DatabaseSync } from 'node:sqlite';
import { parseJson } from '@skolo/base';
import { z } from 'zod';
import { Silence } from './silence.ts';

const DataRow = z.object({ data: z.string() });

/** As many as 40 incidents of 300 machines a day, and what they take in memory: agents choose some of their texts. */
const mostSilences = 20_000;
const mostCharacters = 6 * 2 ** 20;

export class SilenceTable {
  private readonly statements;

  constructor(database: DatabaseSync) {
    this.statements = {
      put: database.prepare('REPLACE INTO silences VALUES (?, ?, ?, ?)'),
      list: database.prepare(
        'SELECT data FROM silences WHERE ended IS NULL OR ended >= ? ORDER BY at DESC',
      ),
      has: database.prepare('SELECT 1 FROM silences WHERE id = ?'),
      drop: database.prepare('DELETE FROM silences WHERE ended < ?'),
    };
  }

  put(silence: Silence): void {
    const { id, at, endedAt = null } = silence;
    this.statements.put.run(id, at, endedAt, JSON.stringify(silence));
  }

  /** Those that continue, or ended since then, newest first. `isCut`: older ones are left out. So may be what another version wrote. */
  list({ endedFrom }: { endedFrom: number }): { silences: Silence[]; isCut: boolean } {
    const silences: Silence[] = [];
    let characters = 0;
    for (const row of this.statements.list.iterate(endedFrom)) {
      const { data } = DataRow.parse(row);
      characters += data.length;
      if (silences.length >= mostSilences || characters > mostCharacters) {
        return { silences, isCut: true };
      }
      const silence = Silence.safeParse(parseJson(data)).data;
      if (silence !== undefined) silences.push(silence);
    }
    return { silences, isCut: false };
  }

  /** Those of these IDs that it has. */
  known(ids: readonly string[]): string[] {
    return ids.filter((id) => this.statements.has.get(id) !== undefined);
  }

  drop(before: number): void {
    this.statements.drop.run(before);
  }
}
