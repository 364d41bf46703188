/** Checks that apply to every switch's configuration, whatever its format. */
import type { Dialect } from '@skolo/equipment/transports';
import {
  type ConfiguredDevice,
  type ReplayingDevice,
  sessionOf,
  typeInto,
} from '@skolo/simulators';
import { expect, it } from 'vitest';
import { createMask } from '../configuration/mask.ts';
import { isSame } from '../configuration/text.ts';
import type { BackupModel } from '../contract/backup.ts';
import { account, backUp, bytesOf, type Sitting } from './simulated-device.ts';

type Sat<Device = ConfiguredDevice> = Sitting<Device> & { model: BackupModel };
type Sit = () => Promise<Sat>;
type Keys = Parameters<typeof typeInto>[3];

/** @param change of its text */
export function itIsUnsavedAfter(
  sit: () => Promise<Sat<ReplayingDevice>>,
  change: readonly [from: string, to: string],
): void {
  it('is unsaved when it would boot with another one', async () => {
    const { device, model, connect } = await sit();
    device.edit((text) => text.replace(...change));

    const { content, startup } = await backUp(model, connect());

    expect(startup && (await isSame(bytesOf(content), startup, model))).toBe(false);
  });
}

/**
 * The steps that restore this configuration are what was typed in a session, whose answers the dialect understands.
 *
 * @param begin the first line of that session
 * @param before typed before it, to sign in
 */
export function itReplaysRestore(
  sit: (configuration: string) => Promise<Sat<ReplayingDevice>>,
  dialect: Dialect,
  {
    configuration,
    begin,
    before = [],
  }: Record<'configuration' | 'begin', string> & { before?: string[] },
): void {
  it('gets back by the steps, which were typed in a session', async () => {
    const sitting = await sit(configuration);
    const { device, inventory, connect } = sitting;
    const typed = sessionOf(inventory.model).map((exchange) => exchange.typed);
    const cli = await connect().cli(dialect);

    const lines = stepsOf(sitting, device.running()).flatMap((step) => step.lines);
    for (const line of lines) await cli.run(line);

    const recorded = typed.slice(typed.lastIndexOf(begin));
    expect(lines.map((line) => line.trim())).toEqual([...before, ...recorded]);
  });
}

interface Masked {
  /** Text that all of its secrets contain, and their minimum number. */
  secret: RegExp;
  least: number;
  /** Is shown. */
  kept: readonly string[];
}

export function itMasks(sit: Sit, about: Masked): void {
  it('shows none of its secrets once they are masked', async () => {
    const { device, model } = await sit();

    isMasked(device.running().toString(), model, about);
  });
}

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
