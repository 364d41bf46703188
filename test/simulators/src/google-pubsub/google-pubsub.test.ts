import { afterAll, beforeAll, describe } from 'vitest';
import { behaviour, documented } from './behaviour.ts';
import { type Pstest, startPstest } from './pstest.ts';
import { type GooglePubSub, startGooglePubSub } from './server.ts';

describe('the simulator', () => {
  let google: GooglePubSub;
  beforeAll(async () => {
    google = await startGooglePubSub();
  });
  afterAll(() => google.close());

  behaviour(() => google.endpoint);
  documented(() => google.endpoint);
});

describe("Google's pstest", () => {
  let pstest: Pstest | undefined;
  beforeAll(async () => {
    pstest = await startPstest();
  });
  afterAll(() => pstest?.close());

  behaviour(() => pstest?.endpoint);
});
