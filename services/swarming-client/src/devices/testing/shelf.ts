import {
  type AndroidOptions,
  peer,
  type SimulatedAdbServer,
  startAdbServer,
} from '@skolo/simulators';
import { onTestFinished, type TestContext } from 'vitest';
import { type Lab, startLab } from './lab.ts';

interface Shelf extends Lab {
  server: SimulatedAdbServer;
}

/** Phones behind a simulated server, and the real client in front of it. Skips the test if that is not installed. */
export async function startShelf(
  context: TestContext,
  phones: readonly AndroidOptions[],
): Promise<Shelf> {
  if (peer('adb') === undefined) context.skip('adb is not installed');
  const server = await startAdbServer({ phones });
  onTestFinished(() => server.close());
  const lab = await startLab({ ANDROID_ADB_SERVER_PORT: String(server.port) });
  return { ...lab, server };
}
