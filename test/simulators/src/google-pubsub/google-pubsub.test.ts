import { afterAll, beforeAll, describe } from 'vitest';
import { behaviour } from './behaviour.ts';
import { type PubSubEmulator, startPubSubEmulator } from './emulator.ts';
import { type GooglePubSub, startGooglePubSub } from './server.ts';

describe('the simulator', () => {
  let google: GooglePubSub;
  beforeAll(async () => {
    google = await startGooglePubSub();
  });
  afterAll(() => google.close());

  behaviour(() => google.endpoint);
});

describe("Google's emulator", () => {
  let emulator: PubSubEmulator | undefined;
  beforeAll(async () => {
    emulator = await startPubSubEmulator();
  });
  afterAll(() => emulator?.close());

  behaviour(() => emulator?.endpoint);
});
