/** The proofs of all models, by the list. Models that are tables have the one of their base. */
import { isObject } from '@skolo/base';
import { z } from 'zod';
import { models } from '../index.ts';
import { account, type BackedUp, enablePassword } from './backed-up.ts';
import type { ModelProof } from './proof.ts';

const Loaded = z.object({ proof: z.custom<ModelProof>(isObject) });

async function load(model: string): Promise<[string, ModelProof]> {
  return [model, Loaded.parse(await import(`../${model}/proof.ts`)).proof];
}

const own = [...models.values()].filter(({ base }) => base === undefined);

export { account, type BackedUp, enablePassword, mark } from './backed-up.ts';

/** By model. */
export const proofs: ReadonlyMap<string, ModelProof> = new Map(
  await Promise.all(own.map(({ name }) => load(name))),
);

/** Those with a part, by model. */
export function proofsWith<Part extends keyof ModelProof>(part: Part) {
  return [...proofs].flatMap(([model, proof]) => (has(proof, part) ? [{ model, proof }] : []));
}

function has<Part extends keyof ModelProof>(
  proof: ModelProof,
  part: Part,
): proof is ModelProof & Required<Pick<ModelProof, Part>> {
  return proof[part] !== undefined;
}

export const answeringDevices = proofsWith('answering').flatMap(({ model, proof }) =>
  proof.answering.map((device) => ({ model, device })),
);

/** Starts the equipment that a model's backup is tried with; undefined: what it requires is not installed. */
export async function startBackedUp(model: string): Promise<BackedUp | undefined> {
  const { start, backup } = proofs.get(model) ?? {};
  if (backup === undefined) throw new Error(`${model} has no proof of a backup`);
  if ('needs' in backup) return await backup.start();
  const device = await (backup.start ?? start)?.({ ...account, enablePassword, secondMs: 1 });
  if (device === undefined) throw new Error(`${model} has no simulated device`);
  const { entry, tellsUnsaved, ticks, change } = backup;
  return {
    port: device.port,
    entry,
    tellsUnsaved,
    shown: ticks && (() => device.running()),
    change: () => change(device),
    close: () => device.close(),
  };
}
