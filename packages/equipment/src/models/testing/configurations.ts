/** Checks that apply to every switch's configuration, whatever its format. */
import { type ConfiguredDevice, typeInto } from '@skolo/simulators';
import { expect } from 'vitest';
import { createMask } from '../configuration/mask.ts';
import { isSame } from '../configuration/text.ts';
import type { BackupModel } from '../contract/backup.ts';
import type { Masked } from './backed-up.ts';
import { account, type Sitting } from './simulated-device.ts';

type Sat = Sitting<ConfiguredDevice> & { model: BackupModel };
type Keys = Parameters<typeof typeInto>[3];

/** Lines that are not shown as they are, although they have no word for a secret, and are no part of one in several lines. */
export function hiddenLines(text: string, masked: string): string[] {
  const shown = new Set(masked.split('\n'));
  const words =
    /passw|secret|\bkey|-key|communit|snmp-server host|priv |:\/\/|\$\d+\$|PRIVATE KEY|find default|^ {4}.*"\r?$/i;
  return text.split('\n').filter((line) => !shown.has(line) && !words.test(line));
}

/** Whatever is not secret is shown. Returns the masked text. */
export function isMasked(
  text: string,
  { secrets }: Pick<BackupModel, 'secrets'>,
  { secret, least, kept }: Masked,
): string {
  const masked = createMask(Buffer.alloc(32, 1)).text(text, secrets);

  expect([...text.matchAll(secret)].length).toBeGreaterThanOrEqual(least);
  expect(masked.split('\n').filter((line) => line.match(secret))).toEqual([]);
  for (const words of kept) expect(masked).toContain(words);
  expect(hiddenLines(text, masked).filter((line) => !line.match(secret))).toEqual([]);
  return masked;
}

/** The steps that restore a version of that device. */
export function stepsOf({ inventory, model }: Pick<Sat, 'inventory' | 'model'>, version: Buffer) {
  const time = '2026-11-20T10:00:00Z';
  return model.restore.steps(version, { device: inventory, id: 'abc', time });
}

/** Types a device's restore steps into another one, which runs and boots with that version afterwards. */
export async function restores(
  from: Sat,
  to: Sat,
  prompt: string,
  keysOf: (lines: readonly string[]) => Keys,
): Promise<void> {
  const version = from.device.running();

  const lines = stepsOf(from, version).flatMap((step) => step.lines);
  await typeInto(to.device, account, prompt, keysOf(lines));

  expect(await isSame(to.device.running(), version, from.model)).toBe(true);
  const startup = to.device.startup();
  const saved = to.model.startupLike?.(version, startup) ?? startup;
  expect(await isSame(saved, version, from.model)).toBe(true);
}

/** Each line, and what comes after it. */
export function typed(lines: readonly string[], until: string): Keys {
  return lines.map((line) => ({ keys: `${line}\r`, until }));
}
