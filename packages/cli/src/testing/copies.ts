/** What is left of a rack that is dead: real copies of its history, in the folder of a session. */
import { join } from 'node:path';
import { Repository } from '@skolo/backup';
import { versionsOf } from './backup-data.ts';

/** What a commit is called in each run, and always. */
export type StandIns = ReadonlyMap<string, string>;

/** `history.git`, with what the router backup of the tests knows of the router and of switch-1, and a modem. */
export async function createHistory(dir: string): Promise<StandIns> {
  const standIns = new Map<string, string>();
  const repository = await Repository.open(join(dir, 'history.git'), { rack: 'rack4' });
  for (const device of ['router', 'switch-1', 'modem']) {
    for (const { version, content } of versionsOf(device).reverse()) {
      const { model, time, by = 'schedule', reason, changedBy } = version;
      const { id } = await repository.commit({
        device,
        content: { bytes: Buffer.from(content) },
        about: {
          rack: 'rack4',
          model: model ?? 'generic',
          run: 'r0001',
          time,
          by,
          ...(reason !== undefined && { reason }),
          ...(changedBy !== undefined && { changedBy }),
        },
      });
      standIns.set(id, version.id);
      standIns.set(id.slice(0, 12), version.id.slice(0, 12));
    }
  }
  await repository.close();
  return standIns;
}
