/** How each model identifies itself while it is read: its own patterns match, and those of other models do not. */
import { expect, it } from 'vitest';
import { models } from './index.ts';
import { loadBackups } from './load.ts';
import type { ModelProof } from './testing/proof.ts';
import { proofsWith } from './testing/proofs.ts';
import { account, simulated } from './testing/simulated-device.ts';

/** A device's output while its configuration is read. */
async function saidBy(start: NonNullable<ModelProof['start']>, model: string): Promise<string> {
  const sitting = await simulated(() => start({ ...account, secondMs: 1 }), { model });
  const said: string[] = [];
  const connection = sitting.connect({
    onTranscript: (from, text) => void (from === 'device' && said.push(text)),
  });
  const backup = (await loadBackups()).get(model);
  if (backup === undefined) throw new Error(`${model} has no backup`);
  await backup(sitting.inventory).read(connection);
  return said.join('');
}

it.each(proofsWith('reported'))('a $model names itself', async ({ model, proof }) => {
  const { reported, start } = proof;
  const said = reported.text ?? (start && (await saidBy(start, model))) ?? '';

  const matching = [...models.values()].filter((each) => each.reported?.model.test(said));

  const own = models.get(model)?.reported;
  expect(matching.map(({ name }) => name)).toEqual([model]);
  expect(own?.model.exec(said)?.[1]).toBe(reported.hardware);
  expect(own?.firmware.exec(said)?.[1]).toBe(reported.firmware);
});
