/**
 * Evidence that a model was read: a file for each model and firmware. It contains times, counts and kinds of problems, but nothing that
 * identifies a rack: no secrets, addresses, serial numbers or names.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '@skolo/durable/atomic-file';
import { models } from '@skolo/models';
import { z } from 'zod';
import { type DeviceLook, problemKinds } from './device.ts';

const whole = z.int().min(0);
/** As devices report it: one or a few words. */
const version = z.string().regex(/^[\w.+()/ -]{1,60}$/);
const stepName = /^(description|connected hosts|(outlets|configuration) \d)$/;

const Device = z.strictObject({
  hardware: version.optional(),
  transport: z.string().regex(/^[a-z]+$/),
  steps: z.array(
    z.strictObject({
      step: z.string().regex(stepName),
      ms: whole,
      isDone: z.boolean(),
      requests: whole,
    }),
  ),
  configuration: z
    .strictObject({ readings: whole, bytes: whole, differingLines: whole })
    .optional(),
  counts: z.strictObject({ outlets: whole, hosts: whole, ports: whole }),
  problems: z.array(z.enum(problemKinds)),
});

export const Proof = z.strictObject({
  schema: z.literal(1),
  level: z.literal('read'),
  model: z.string().refine((name) => models.has(name), 'not a model'),
  /** `unknown`: the device does not report it, or not in a known place. */
  firmware: version,
  /** Version of the command. */
  skolo: version,
  day: z.iso.date(),
  devices: z.array(Device).min(1),
});
type Proof = z.infer<typeof Proof>;

/** Writes the files, and returns their paths. Excludes devices that were not read at all or that report another model. */
export async function writeProofs(
  folder: string,
  looks: readonly DeviceLook[],
  about: Pick<Proof, 'skolo' | 'day'>,
): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  const proofs = new Map<string, Proof>();
  for (const look of looks) {
    const { model, answersAs, steps } = look;
    if (answersAs !== undefined || !steps.some(({ isDone }) => isDone)) continue;
    const firmware = version.safeParse(look.firmware).data ?? 'unknown';
    const file = join(folder, `proof-${model}-${firmware.replaceAll(/[^\w.+-]+/g, '_')}.json`);
    const others = proofs.get(file)?.devices ?? [];
    const devices = [...others, deviceOf(look)];
    proofs.set(file, Proof.parse({ schema: 1, level: 'read', model, firmware, ...about, devices }));
  }
  for (const [file, proof] of proofs) {
    await writeFileAtomic(file, `${JSON.stringify(proof, undefined, 2)}\n`);
  }
  return [...proofs.keys()];
}

function deviceOf(look: DeviceLook): z.infer<typeof Device> {
  const { transport, steps, outlets, configuration, hosts, problems } = look;
  const hardware = version.safeParse(look.hardware).data;
  return {
    ...(hardware && { hardware }),
    transport,
    steps,
    ...(configuration && { configuration }),
    counts: {
      outlets: Object.keys(outlets.at(-1) ?? {}).length,
      hosts: hosts?.hosts.length ?? 0,
      ports: hosts?.ports.length ?? 0,
    },
    problems: problems.map(({ kind }) => kind),
  };
}
