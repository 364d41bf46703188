/** The proofs of all models, by the list. Models that are tables have the one of their base. */
import { isObject } from '@skolo/base';
import { z } from 'zod';
import { models } from '../index.ts';
import type { ModelProof } from './proof.ts';

const Loaded = z.object({ proof: z.custom<ModelProof>(isObject) });

async function load(model: string): Promise<[string, ModelProof]> {
  return [model, Loaded.parse(await import(`../${model}/proof.ts`)).proof];
}

const own = [...models.values()].filter(({ base }) => base === undefined);

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
