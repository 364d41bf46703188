/**
 * Evidence that a model was read or switched on real hardware: a file for each model and firmware. It contains times, counts and kinds of
 * problems, but nothing that identifies a rack: no secrets, addresses, serial numbers or names. Its level and its rack are not in the
 * file, because any such claim could be invented.
 */
import { z } from 'zod';
import { models } from '../index.ts';

export const problemKinds = [
  ...(['sign-in', 'failed', 'model', 'serial', 'count'] as const),
  ...(['changed', 'outlet', 'configuration', 'link'] as const),
  ...(['name', 'power-failure', 'off-time'] as const),
] as const;

/** Runs of ten characters with a digit (serial numbers, MAC addresses, keys), IPv4 addresses, and MAC addresses and UUIDs in groups. */
const identifying = String.raw`\b(?=\w*\d)\w{10}|(\d{1,3}\.){3}\d{1,3}(?!\d)|[\da-fA-F]{4}(\.[\da-fA-F]{4}){2}|([\da-fA-F]{2}-){3}|[\da-fA-F]{8}-[\da-fA-F]{4}-`;

/** A text that a device reports, such as `example`. */
function reported(example: string, form: string) {
  const error = `is not in the form "${example}", or looks like an address, a serial number or a key`;
  return z.string().regex(new RegExp(`^(?!.*(${identifying}))${form}$`), { error });
}

/** Words that begin with a capital or a digit. */
export const Hardware = reported(
  'EdgeSwitch 24-Port 250W',
  String.raw`[A-Z\d][\w+()/.-]{0,29}( [A-Z\d(][\w+()/.-]{0,29}){0,4}`,
);
/** `unknown`: the device does not report it, or not in a known place or form. */
export const Firmware = reported(
  'v2.0.9-hotfix.6',
  String.raw`(unknown|[A-Za-z]{0,8}\.?\d[\w.+()-]{0,39})`,
);

const whole = z.int().min(0).max(1_000_000_000);
const Step = z.strictObject({
  step: z
    .string()
    .regex(/^(description|settings|connected hosts|outlets [1-3]|configuration [12])$/),
  ms: z.int().min(0).max(86_400_000),
  isDone: z.boolean(),
  requests: whole,
});

const Device = z.strictObject({
  hardware: Hardware.optional(),
  transport: z.enum([...new Set([...models.values()].flatMap(({ transports }) => transports))]),
  steps: z
    .array(Step)
    .max(20)
    .refine((steps) => new Set(steps.map(({ step }) => step)).size === steps.length, {
      error: 'a step is listed twice',
    })
    .refine(wasRead, { error: 'no outlets, configuration or hosts were read' }),
  configuration: z
    .strictObject({ readings: whole, bytes: whole, differingLines: whole })
    .optional(),
  counts: z.strictObject({ outlets: whole, hosts: whole, ports: whole }),
  /** Outlets that were turned off and on again, with each state read back. No command writes it yet. */
  cycles: z.strictObject({ done: whole, failed: whole }).optional(),
  problems: z.array(z.enum(problemKinds)).max(1000),
});

export const Proof = z
  .strictObject({
    schema: z.literal(1),
    model: z.enum([...models.keys()]),
    firmware: Firmware,
    /** Version of the command. */
    skolo: z.string().regex(/^(unknown|\d{1,4}\.\d{1,4}\.\d{1,4})$/),
    day: z.iso.date(),
    devices: z.array(Device).min(1).max(1000),
  })
  .superRefine(({ model, devices }, { addIssue }) => {
    for (const [at, { transport }] of devices.entries()) {
      if (models.get(model)?.transports.includes(transport)) continue;
      const message = `the model ${model} does not support ${transport}`;
      addIssue({ code: 'custom', path: ['devices', at, 'transport'], message });
    }
  });
export type Proof = z.infer<typeof Proof>;

/** A device that only describes itself was not read. */
export function wasRead(steps: readonly { step: string; isDone: boolean }[]): boolean {
  return steps.some(({ step, isDone }) => isDone && step !== 'description');
}

/** Whether all its power cycles of outlets, at least one, worked. */
export function isSwitched({ devices }: Proof): boolean {
  const cycles = devices.flatMap((device) => device.cycles ?? []);
  return cycles.some(({ done }) => done > 0) && cycles.every(({ failed }) => failed === 0);
}

export function proofFile({ model, firmware }: Pick<Proof, 'model' | 'firmware'>): string {
  return `proof-${model}-${firmware.replaceAll(/[^\w.+-]+/g, '_')}.json`;
}
