/** Checks that apply to every switch's configuration, whatever its format. */
import type { Dialect } from '@skolo/equipment';
import type { ConfiguredDevice } from '@skolo/simulators';
import { expect, it } from 'vitest';
import { createMask } from '../configuration/mask.ts';
import { isSame } from '../configuration/text.ts';
import type { BackupModel } from '../contract/backup.ts';
import { backUp, bytesOf, type Sitting } from './simulated-device.ts';

type Sit = () => Promise<Sitting<ConfiguredDevice> & { model: BackupModel }>;

/** @param lines change something */
export function itIsUnsavedAfter(sit: Sit, dialect: Dialect, lines: readonly string[]): void {
  it('is unsaved when it would boot with another one', async () => {
    const { model, connect } = await sit();
    const cli = await connect().cli(dialect);
    for (const line of lines) await cli.run(line);

    const { content, startup } = await backUp(model, connect());

    expect(startup && isSame(bytesOf(content), startup, model)).toBe(false);
  });
}

interface Masked {
  /** Text that all of its secrets contain, and their minimum number. */
  secret: RegExp;
  least: number;
  /** Is shown. */
  kept: readonly string[];
}

export function itMasks(sit: Sit, { secret, least, kept }: Masked): void {
  it('shows none of its secrets once they are masked', async () => {
    const { device, model } = await sit();
    const text = device.running().toString();

    const masked = createMask(Buffer.alloc(32, 1)).text(text, model.secrets);

    expect([...text.matchAll(secret)].length).toBeGreaterThanOrEqual(least);
    expect([...masked.matchAll(secret)].map(([match]) => match)).toEqual([]);
    for (const words of kept) expect(masked).toContain(words);
  });
}
