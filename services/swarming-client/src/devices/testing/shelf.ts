import { untilTestEnds } from '@skolo/base/testing';
import {
  type AndroidOptions,
  peer,
  type Relay,
  type SimulatedAdbServer,
  startAdbServer,
  startRelay,
} from '@skolo/simulators';
import type { TestContext } from 'vitest';
import { type Lab, startLab } from './lab.ts';

interface Shelf extends Lab {
  server: SimulatedAdbServer;
  /** Between the real client and the server. */
  relay: Relay;
}

/** Phones behind a simulated server, and the real client in front of it. Skips the test if that is not installed. */
export async function startShelf(
  context: TestContext,
  phones: readonly AndroidOptions[],
): Promise<Shelf> {
  if (peer('adb') === undefined) context.skip('adb is not installed');
  const server = untilTestEnds(await startAdbServer({ phones }));
  const relay = untilTestEnds(await startRelay(server));
  const lab = await startLab({ ANDROID_ADB_SERVER_PORT: String(relay.port) });
  return { ...lab, server, relay };
}
