/** The table of machines' silences. All is synchronous. */
import type { DatabaseSync } from 'node:sqlite';
import { parseJson } from '@skolo/base';
import { z } from 'zod';
import { Silence } from './silence.ts';

const DataRow = z.object({ data: z.string(), ended: z.number().nullable() });

/** As many as 60 incidents of 300 machines, and what they take in memory. */
const mostSilences = 20_000;
const mostCharacters = 8 * 2 ** 20;
/** Of each machine, the newest: agents choose how often they answer, and some of their texts. */
const mostOfMachine = 64;
const mostCharactersOfMachine = 48 * 2 ** 10;

export class SilenceTable {
  private readonly statements;

  constructor(database: DatabaseSync) {
    this.statements = {
      put: database.prepare('REPLACE INTO silences VALUES (?, ?, ?, ?)'),
      limit: database.prepare(
        `DELETE FROM silences WHERE json_extract(data, '$.machine') = ?1 AND ended IS NOT NULL AND at <
           (SELECT at FROM silences WHERE json_extract(data, '$.machine') = ?1 ORDER BY at DESC LIMIT 1 OFFSET ${mostOfMachine - 1})`,
      ),
      list: database.prepare(
        'SELECT data, ended FROM silences WHERE ended IS NULL OR ended >= ? ORDER BY at DESC',
      ),
      has: database.prepare('SELECT 1 FROM silences WHERE id = ?'),
      drop: database.prepare('DELETE FROM silences WHERE ended < ?'),
    };
  }

  put(silence: Silence): void {
    const { id, machine, at, endedAt = null } = silence;
    this.statements.put.run(id, at, endedAt, JSON.stringify(silence));
    this.statements.limit.run(machine);
  }

  /**
   * Those that continue, or ended since then, newest first. What ended before `completeFrom` may be left out: what was too much, of a
   * machine or of all. So may be what another version wrote.
   */
  list({ endedFrom }: { endedFrom: number }): { silences: Silence[]; completeFrom: number } {
    const silences: Silence[] = [];
    const shares = new Map<string, { count: number; characters: number }>();
    let completeFrom = 0;
    let characters = 0;
    for (const row of this.statements.list.iterate(endedFrom)) {
      const { data, ended } = DataRow.parse(row);
      if (ended !== null && (silences.length >= mostSilences || characters > mostCharacters)) {
        completeFrom = Math.max(completeFrom, ended + 1);
        continue;
      }
      const silence = Silence.safeParse(parseJson(data)).data;
      if (silence === undefined) continue;
      const { machine, at } = silence;
      const share = shares.get(machine) ?? { count: 0, characters: 0 };
      const isTooMuch = share.count > 0 && share.characters + data.length > mostCharactersOfMachine;
      if (ended !== null && isTooMuch) {
        completeFrom = Math.max(completeFrom, ended + 1);
        continue;
      }
      characters += data.length;
      silences.push(silence);
      shares.set(machine, { count: share.count + 1, characters: share.characters + data.length });
      if (share.count + 1 === mostOfMachine) completeFrom = Math.max(completeFrom, at);
    }
    return { silences, completeFrom };
  }

  /** Those of these IDs that it has. */
  known(ids: readonly string[]): string[] {
    return ids.filter((id) => this.statements.has.get(id) !== undefined);
  }

  drop(before: number): void {
    this.statements.drop.run(before);
  }
}
