/** The table of machines' silences. All is synchronous. */
import type { DatabaseSync } from 'node:sqlite';
import { parseJson } from '@skolo/base';
import { z } from 'zod';
import { Silence } from './silence.ts';

const DataRow = z.object({ data: z.string() });

export class SilenceTable {
  private readonly statements;

  constructor(database: DatabaseSync) {
    this.statements = {
      put: database.prepare('REPLACE INTO silences VALUES (?, ?, ?, ?)'),
      list: database.prepare(
        'SELECT data FROM silences WHERE ended IS NULL OR ended >= ? ORDER BY at DESC LIMIT ?',
      ),
      drop: database.prepare('DELETE FROM silences WHERE ended < ?'),
    };
  }

  put(silence: Silence): void {
    const { id, at, endedAt = null } = silence;
    this.statements.put.run(id, at, endedAt, JSON.stringify(silence));
  }

  /** Those that continue, or ended since then: the latest `most`, newest first. What another version wrote may be left out. */
  list({ endedFrom, most }: { endedFrom: number; most: number }): Silence[] {
    return z
      .array(DataRow)
      .parse(this.statements.list.all(endedFrom, most))
      .flatMap(({ data }) => Silence.safeParse(parseJson(data)).data ?? []);
  }

  drop(before: number): void {
    this.statements.drop.run(before);
  }
}
