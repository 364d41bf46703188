/** Writes evidence files, for the directory `docs/proofs`. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '@skolo/base/durable/atomic-file';
import { Firmware, Hardware, Proof, proofFile, wasRead } from '@skolo/equipment/models/proofs';
import { type EquipmentLook, signInStep } from './look-at-equipment.ts';

/** A file for each model and firmware; returns their paths. Excludes devices that were not read or that report another model. */
export async function writeProofs(
  folder: string,
  looks: readonly EquipmentLook[],
  about: Pick<Proof, 'skolo' | 'day'>,
): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  const proofs = new Map<string, Proof>();
  for (const look of looks) {
    const { model, answersAs } = look;
    if (answersAs !== undefined || !wasRead(readings(look))) continue;
    const firmware = Firmware.safeParse(look.firmware).data ?? 'unknown';
    const file = join(folder, proofFile({ model, firmware }));
    const others = proofs.get(file)?.devices ?? [];
    const devices = [...others, proofOf(look)];
    proofs.set(file, Proof.parse({ schema: 1, model, firmware, ...about, devices }));
  }
  for (const [file, proof] of proofs) {
    await writeFileAtomic(file, `${JSON.stringify(proof, undefined, 2)}\n`);
  }
  return [...proofs.keys()];
}

/** Without attempts to sign in, which depend on the rack. */
function readings({ steps }: EquipmentLook): EquipmentLook['steps'] {
  return steps.filter(({ step }) => !step.startsWith(signInStep));
}

function proofOf(look: EquipmentLook): Proof['devices'][number] {
  const { transport, outlets, configuration, hosts, problems } = look;
  const hardware = Hardware.safeParse(look.hardware).data;
  return {
    ...(hardware && { hardware }),
    transport,
    steps: readings(look),
    ...(configuration && { configuration }),
    counts: {
      outlets: Object.keys(outlets.at(-1) ?? {}).length,
      hosts: hosts?.hosts.length ?? 0,
      ports: hosts?.ports.length ?? 0,
    },
    problems: problems.map(({ kind }) => kind),
  };
}
