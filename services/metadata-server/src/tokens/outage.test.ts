/** Upstream, disk and clock on a bad day. */

import { setMaxListeners } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { mountSmall } from '@skolo/base/testing';
import { fakeClock } from '@skolo/common/testing';
import { type GoogleOAuth, makeServiceAccountKey, type Relay } from '@skolo/simulators';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { ask, type Reply } from '../testing/http.ts';
import {
  bots,
  cloudPlatform,
  jumphost,
  newRackFolder,
  rackYaml,
  self,
  startRack,
  startTestGoogle,
  type TestRack,
  userinfo,
} from '../testing/rack.ts';
import { usualPatienceMs } from './token-answers.ts';

/** Only one identity, so that the calls that upstream counts are its own. */
const oneIdentity = rackYaml
  .replace(/ {2}jumphost:\n {4}project: other-project\n.*\n/, '')
  .replaceAll('identity: jumphost', 'identity: bots');

/** V8 exposes its collector only where it is asked to. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
}

async function memoryFolder(): Promise<string> {
  const folder = await mkdtemp('/dev/shm/skolo-test-');
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

function tokenOf(reply: Reply): string {
  expect(reply.status).toBe(200);
  return JSON.parse(reply.body).access_token;
}

function secondsLeft(reply: Reply): number {
  return JSON.parse(reply.body).expires_in;
}

async function readiness(rack: TestRack): Promise<{ status: number; degraded: string[] }> {
  const reply = await ask(rack.metricsPort, '/readyz', { from: self });
  const degraded: { what: string }[] = JSON.parse(reply.body).degraded;
  // Not a pause of this computer, which is shown for ten minutes.
  const names = degraded.map(({ what }) => what).filter((what) => what !== 'pauses');
  return { status: reply.status, degraded: names };
}

async function knownOf(rack: TestRack) {
  const { body } = await ask(rack.metricsPort, '/v1/clients', { from: self });
  const line = /last_success_timestamp_seconds\{identity="bots"\} (\S+)/;
  const lastSuccess = Number(line.exec(await rack.metrics())?.[1]);
  expect(lastSuccess).toBeGreaterThan(0);
  return { clients: JSON.parse(body).clients, lastSuccess };
}

const other = 'other@my-project.iam.gserviceaccount.com';

async function replaceKey({ google, dir }: TestRack): Promise<void> {
  const key = makeServiceAccountKey({ email: other, tokenUri: google.tokenUrl });
  google.addServiceAccountKey(key);
  await writeFile(join(dir, 'secrets/jumphost.json'), JSON.stringify(key));
}

describe('first requests', () => {
  it('are one upstream call, whether 300 or one', async () => {
    const google = await startTestGoogle();
    const wait = (await google.behindRelay()).inject({ effect: 'wait' });
    const rack = await startRack({ google, yaml: oneIdentity });
    const asking = Array.from({ length: 300 }, (_, i) =>
      rack.token({ from: `127.0.1.${1 + (i % 9)}` }),
    );
    await wait.struck();
    wait.end();

    const tokens = new Set((await Promise.all(asking)).map(tokenOf));

    expect(tokens.size).toBe(1);
    expect(google.calls.length).toBe(1);
  });

  it('whose callers are gone leave nothing behind', async () => {
    const google = await startTestGoogle();
    const wait = (await google.behindRelay()).inject({ effect: 'wait' });
    const rack = await startRack({ google, yaml: oneIdentity });
    const hangUp = new AbortController();
    setMaxListeners(0, hangUp.signal);
    const asking = Array.from({ length: 50 }, () =>
      rack.token({ signal: hangUp.signal }).catch(() => 'gone'),
    );
    await wait.struck();
    hangUp.abort();
    expect(new Set(await Promise.all(asking))).toEqual(new Set(['gone']));
    wait.end();
    expect(google.isValid(tokenOf(await rack.token()))).toBe(true);
    expect(google.calls.length).toBe(1);
  });
});

describe('upstream that fails', () => {
  // What its sources of tokens take for a failure is tested in packages/google.
  it.each<[string, (google: GoogleOAuth, relay: Relay) => unknown]>([
    ['an error', (google) => google.script({ status: 500 })],
    ['too many requests', (google) => google.script({ status: 429 })],
    ['no token', (google) => google.script({ status: 200, body: { expires_in: 3599 } })],
    ['a reset', (_, relay) => relay.inject({ after: { answered: 0 }, effect: 'reset' })],
    ['half an answer', (_, relay) => relay.inject({ after: { answered: 400 }, effect: 'end' })],
  ])(
    'by %s costs an honest 503 while there is no token, and nothing once it is well',
    async (_, begin) => {
      const google = await startTestGoogle();
      const relay = await google.behindRelay();
      const clock = fakeClock(Date.now());
      begin(google, relay);
      const rack = await startRack({ google, yaml: oneIdentity, clock });
      await google.callsSeen(1);

      const rejected = await rack.token();

      expect(rejected.status).toBe(503);
      expect(Number(rejected.headers['retry-after'])).toBeGreaterThanOrEqual(1);
      expect(rejected.headers['metadata-flavor']).toBe('Google');
      expect(rejected.body).not.toMatch(/ya29|ey[JK]/);
      expect((await rack.get('project/project-id')).body).toBe('my-project');
      expect(await readiness(rack)).toMatchObject({ status: 503, degraded: ['identity bots'] });

      google.behave();
      relay.mend();
      clock.pass(120_000);

      expect(google.isValid(tokenOf(await rack.token()))).toBe(true);
      expect(await readiness(rack)).toEqual({ status: 200, degraded: [] });
    },
  );

  it('by answering a byte at a time is only slow', async () => {
    const google = await startTestGoogle();
    (await google.behindRelay()).inject({ effect: 'drip' });
    const rack = await startRack({ google, yaml: oneIdentity });

    expect(google.isValid(tokenOf(await rack.token()))).toBe(true);
  });

  it('by never answering costs a caller two seconds, however long the call may take', async () => {
    const google = await startTestGoogle();
    const silence = (await google.behindRelay()).inject({ effect: 'silence' });
    const limits = { patienceMs: usualPatienceMs, upstreamMs: 3_600_000 };
    const rack = await startRack({ google, yaml: oneIdentity, ...limits });
    await silence.struck();

    expect((await rack.token()).status).toBe(503);

    expect(silence.hits).toBe(1);
  });

  it('by never answering is given up', async () => {
    const google = await startTestGoogle();
    const silence = (await google.behindRelay()).inject({ effect: 'silence' });
    await startRack({ google, yaml: oneIdentity, upstreamMs: 500 });
    await silence.struck();

    // A deadline that only a weak reference holds would be gone after this.
    collectGarbage();

    await silence.givenUp();
  });

  it('by never answering costs no more where another identity has no key', async () => {
    const google = await startTestGoogle();
    const silence = (await google.behindRelay()).inject({ effect: 'silence' });
    const yaml = rackYaml.replace('secrets/jumphost.json', 'secrets/none.json');
    const limits = { patienceMs: 500, upstreamMs: 3_600_000 };
    const rack = await startRack({ google, yaml, tickMs: 10, ...limits });
    await silence.struck();
    expect((await rack.token()).status).toBe(503);
    // It did not wait for the end of the call.
    expect(await rack.metrics()).not.toMatch(/upstream_calls_total\{identity="bots"/);
  });

  it('is not flooded by one caller that asks for ever new audiences', async () => {
    const google = await startTestGoogle();
    const relay = await google.behindRelay();
    const limits = { patienceMs: 500, upstreamMs: 3_600_000 };
    const rack = await startRack({ google, yaml: oneIdentity, ...limits });
    await expect.poll(async () => (await rack.token()).status).toBe(200);
    const silence = relay.inject({ effect: 'silence' });
    const asking = Array.from({ length: 200 }, (_, i) =>
      rack.get(`instance/service-accounts/default/identity?audience=${i}`),
    );
    await silence.struck();
    expect((await rack.token()).status).toBe(200);

    const statuses = (await Promise.all(asking)).map(({ status }) => status);

    expect(new Set(statuses)).toEqual(new Set([429, 503]));
    expect(silence.hits).toBeLessThanOrEqual(2);
  });

  it('does not take away a token that is still good', async () => {
    const google = await startTestGoogle();
    const clock = fakeClock(Date.now());
    const rack = await startRack({ google, yaml: oneIdentity, clock });
    const token = tokenOf(await rack.token());
    google.script({ status: 503 });

    clock.pass(3_500_000);
    const late = await rack.token();
    expect(tokenOf(late)).toBe(token);
    expect(secondsLeft(late)).toBeLessThanOrEqual(99);
    expect((await readiness(rack)).status).toBe(200);

    clock.pass(99_000);
    expect((await rack.token()).status).toBe(503);
  });
});

describe('a token', () => {
  it('is renewed well before it is short, and counts down truly', async () => {
    const clock = fakeClock(Date.now());
    const rack = await startRack({ yaml: oneIdentity, clock });
    const { google } = rack;
    let last = await rack.token();
    for (let minutes = 0; minutes < 120; minutes++) {
      clock.pass(60_000);
      const reply = await rack.token();
      const left = secondsLeft(reply);
      expect(left).toBeGreaterThanOrEqual(600);
      if (tokenOf(reply) === tokenOf(last)) expect(left).toBe(secondsLeft(last) - 60);
      // The renewal has been asked for by now; it is not the test's to say how long that takes.
      if (left < 1500)
        await vi.waitFor(async () => expect(secondsLeft(await rack.token())).toBeGreaterThan(left));
      last = await rack.token();
    }
    // 120 minutes of tokens that are renewed at about half of an hour.
    expect(google.calls.length).toBeGreaterThanOrEqual(3);
    expect(google.calls.length).toBeLessThanOrEqual(5);
  });

  it('survives a wall clock that boots in 1970 and jumps, and is renewed at once', async () => {
    const google = await startTestGoogle();
    const clock = fakeClock(Date.now());
    const today = clock.now();
    clock.setWall(0);
    const rack = await startRack({ google, yaml: oneIdentity, clock, tickMs: 10 });
    await google.callsSeen(1);
    expect((await rack.token()).status).toBe(503);
    expect(google.calls[0]).toMatchObject({ rejection: 'invalid_grant' });

    clock.setWall(today);
    await google.callsSeen(2);
    const token = tokenOf(await rack.token());
    for (const wall of [0, today + 600_000, today]) {
      clock.setWall(wall);
      expect(tokenOf(await rack.token())).toBe(token);
    }
    expect(google.calls.length).toBe(2);
  });

  it.each(['while the server runs', 'between two starts'])(
    'is another one after a pause that only the wall clock shows: %s',
    async (when) => {
      const clock = fakeClock(Date.now());
      const google = await startTestGoogle(onTestFinished, clock);
      const first = await startRack({ google, yaml: oneIdentity, clock });
      const token = tokenOf(await first.token());
      if (when === 'between two starts') await first.stop();
      clock.setWall(clock.now() + 7_200_000);
      const again = { google, dir: first.dir, clock };
      const rack = when === 'between two starts' ? await startRack(again) : first;

      const next = await rack.token();

      expect(tokenOf(next)).not.toBe(token);
      expect(google.isValid(tokenOf(next))).toBe(true);
      expect(secondsLeft(next)).toBeGreaterThan(3500);
    },
  );

  it('of less than a minute is a failure with its reason', async () => {
    const google = await startTestGoogle();
    google.script({ status: 200, body: { access_token: 'short', expires_in: '30' } });
    const rack = await startRack({ google, yaml: oneIdentity });

    expect((await rack.token()).status).toBe(503);
    const { body } = await ask(rack.metricsPort, '/readyz', { from: self });
    expect(body).toContain('valid for 30 s, but at least 60 s are required');
  });

  it('is had with the new key as soon as a broken one is replaced', async () => {
    const google = await startTestGoogle();
    const clock = fakeClock(Date.now());
    const dir = await newRackFolder(google, oneIdentity);
    const file = join(dir, 'secrets/bots.json');
    const good = await readFile(file, 'utf8');
    await writeFile(file, '{"type": "service_account"}');
    const rack = await startRack({ google, dir, clock, tickMs: 10 });
    expect((await rack.token()).status).toBe(503);
    expect(google.calls.length).toBe(0);

    await writeFile(file, good);
    await google.callsSeen(1);

    expect(google.isValid(tokenOf(await rack.token()))).toBe(true);
  });

  it('is had with the rotated key at the next renewal', async () => {
    const clock = fakeClock(Date.now());
    const rack = await startRack({ yaml: oneIdentity, clock });
    const { google } = rack;
    const before = tokenOf(await rack.token());
    const [old] = google.calls;
    const key = makeServiceAccountKey({ email: bots, tokenUri: google.tokenUrl, version: 2 });
    google.addServiceAccountKey(key);
    google.removeServiceAccountKey(
      makeServiceAccountKey({ email: bots, tokenUri: google.tokenUrl }).private_key_id,
    );
    await writeFile(join(rack.dir, 'secrets/bots.json'), JSON.stringify(key));
    clock.pass(3_100_000);

    const after = tokenOf(await rack.token());

    expect(old?.status).toBe(200);
    expect(after).not.toBe(before);
    expect(google.isValid(after)).toBe(true);
  });

  it('of another account, whose key took the place of the old one, is not shown under the old e-mail', async () => {
    const clock = fakeClock(Date.now());
    const rack = await startRack({ clock });
    const email = 'instance/service-accounts/default/email';
    await rack.token({ from: self });
    expect((await rack.get(email, { from: self })).body).toBe(jumphost);
    await replaceKey(rack);
    clock.pass(3_100_000);

    await rack.token({ from: self });

    // Among others: that of the bots is renewed at the same time.
    expect(rack.google.issued.map(({ account }) => account)).toContain(other);
    await vi.waitFor(async () => {
      expect((await rack.get(email, { from: self })).body).toBe(other);
    });
  });

  it('of an account is not given once its key has been replaced by that of another, whatever rack.yaml says', async () => {
    const yaml = rackYaml.replace('other-project\n', `other-project\n    email: ${jumphost}\n`);
    const rack = await startRack({ tickMs: 10, yaml });
    await rack.token({ from: self });
    await replaceKey(rack);

    const account = async () => {
      const token = tokenOf(await rack.token({ from: self }));
      return rack.google.issued.find((each) => each.token === token)?.account;
    };
    await expect.poll(account).toBe(other);
  });

  it('of an account is not given once its key has been replaced by that of another', async () => {
    const rack = await startRack({ tickMs: 10 });
    await rack.token({ from: self });
    await replaceKey(rack);

    const path = 'instance/service-accounts/default/email';
    await expect.poll(async () => (await rack.get(path, { from: self })).body).toBe(other);
    const token = tokenOf(await rack.token({ from: self }));
    expect(rack.google.issued.find((each) => each.token === token)?.account).toBe(other);
  });

  it('of an identity whose key is missing is rejected, the others’ are not', async () => {
    const yaml = rackYaml.replace('secrets/jumphost.json', 'secrets/none.json');
    const rack = await startRack({ yaml });
    expect((await rack.token({ from: self })).status).toBe(503);
    expect((await rack.get('instance/service-accounts/default/email', { from: self })).status).toBe(
      503,
    );
    expect((await rack.get('project/project-id', { from: self })).body).toBe('other-project');
    expect((await rack.token()).status).toBe(200);
    expect(await readiness(rack)).toMatchObject({ status: 200, degraded: ['identity jumphost'] });
  });

  it('of an identity with another e-mail in rack.yaml is shown in readyz', async () => {
    const rack = await startRack({
      yaml: rackYaml.replace(`email: ${bots}`, 'email: x@example.com'),
    });
    expect((await rack.token()).status).toBe(200);
    expect(await readiness(rack)).toMatchObject({ degraded: ['e-mail of identity bots'] });
    const poll = rack.get('instance/service-accounts/default/email?wait_for_change=true');
    await rack.edit(rackYaml);
    expect((await poll).body).toBe(bots);
    expect(await readiness(rack)).toMatchObject({ degraded: [] });
  });

  it('that is still good is not called degraded once its key is back', async () => {
    const rack = await startRack({ tickMs: 10 });
    await rack.token({ from: self });
    const file = join(rack.dir, 'secrets/jumphost.json');
    const key = await readFile(file, 'utf8');
    await rm(file);
    await rack.edit(`${rackYaml}# edited\n`);
    await vi.waitFor(async () => {
      expect(await readiness(rack)).toMatchObject({ degraded: ['identity jumphost'] });
    });

    await writeFile(file, key);

    await vi.waitFor(async () => expect(await readiness(rack)).toMatchObject({ degraded: [] }));
  });

  it('of an identity that is gone from rack.yaml is not called degraded when its call fails', async () => {
    const google = await startTestGoogle();
    const relay = await google.behindRelay();
    const rack = await startRack({ google });
    await rack.token();
    // The call that waits must be that of the new identity.
    await rack.token({ from: '127.0.4.1' });
    const wait = relay.inject({ effect: 'wait' });
    const extra = `  extra: { project: p, email: ${bots}, credentials: { serviceAccountKey: ./secrets/bots.json } }`;
    await rack.edit(rackYaml.replace('machines:', `${extra}\nmachines:`));
    await wait.struck();
    const gone = rack.get('instance/attributes/pool?wait_for_change=true');
    await rack.edit(rackYaml.replace('pool: phones', 'pool: tablets'));
    expect((await gone).body).toBe('tablets');

    google.setDisabled(bots, true);
    wait.end();

    await vi.waitFor(async () => {
      const calls = (await rack.metrics()).split('\n').filter((line) => line.includes('"extra"'));
      expect(calls).toContain(
        'skolo_metadata_upstream_calls_total{identity="extra",kind="access-token",outcome="failure"} 1',
      );
    });
    expect(await readiness(rack)).toMatchObject({ degraded: [] });
  });

  it('is called degraded since the same time, however often other keys are looked at', async () => {
    const google = await startTestGoogle();
    const clock = fakeClock(Date.now());
    const other = rackYaml.replace(`email: ${bots}`, 'email: x@example.com');
    const dir = await newRackFolder(google, other);
    const file = join(dir, 'secrets/jumphost.json');
    const key = await readFile(file, 'utf8');
    await rm(file);
    const rack = await startRack({ google, dir, clock, tickMs: 10 });
    const entries = async () => {
      const { body } = await ask(rack.metricsPort, '/readyz', { from: self });
      return JSON.parse(body).degraded as { what: string; since: string }[];
    };
    const before = (await entries()).find(({ what }) => what === 'e-mail of identity bots');
    clock.pass(60_000);
    await writeFile(file, key);
    await vi.waitFor(async () => expect(await entries()).toHaveLength(1));

    expect(await entries()).toEqual([before]);
  });

  it('of a name that does not resolve is an honest 503', async () => {
    const google = await startTestGoogle();
    const dir = await newRackFolder(google, oneIdentity);
    const key = makeServiceAccountKey({ email: bots, tokenUri: 'https://token.invalid/token' });
    await writeFile(join(dir, 'secrets/bots.json'), JSON.stringify(key));
    const rack = await startRack({ google, dir });
    expect((await rack.token()).status).toBe(503);
  });
});

describe('a restart', () => {
  it('during an outage loses no token, caller or time of last success', async () => {
    const google = await startTestGoogle();
    const rack = await startRack({
      google,
      yaml: `${rackYaml}access: { anonymousRead: [127.0.0.1/32] }\n`,
    });
    const tokens = [await rack.token(), await rack.token({ from: self })].map(tokenOf);
    const { clients, lastSuccess } = await knownOf(rack);
    google.script({ status: 500 });
    await rack.stop();

    const next = await startRack({ google, dir: rack.dir });

    expect(await knownOf(next)).toEqual({ clients, lastSuccess: expect.closeTo(lastSuccess, 0) });
    expect([await next.token(), await next.token({ from: self })].map(tokenOf)).toEqual(tokens);
    expect((await readiness(next)).status).toBe(200);
  });

  it('does not hand a token to an identity with other credentials', async () => {
    const google = await startTestGoogle();
    const rack = await startRack({ google });
    const before = tokenOf(await rack.token());
    await rack.stop();
    await writeFile(rack.rackFile, rackYaml.replace('secrets/bots.json', 'secrets/jumphost.json'));

    const next = await startRack({ google, dir: rack.dir });

    expect(tokenOf(await next.token())).not.toBe(before);
    expect(google.issued.at(-1)?.account).toBe(jumphost);
  });

  it('does not hand on a token of the account whose key has been replaced by that of another', async () => {
    const google = await startTestGoogle();
    const rack = await startRack({ google });
    await rack.token({ from: self });
    await rack.stop();
    await replaceKey(rack);

    const next = await startRack({ google, dir: rack.dir });
    const token = tokenOf(await next.token({ from: self }));

    expect(google.issued.find((each) => each.token === token)?.account).toBe(other);
  });

  it('does not hand on a token of scopes that its identity had', async () => {
    const google = await startTestGoogle();
    const rack = await startRack({ google });
    const before = tokenOf(await rack.token());
    await rack.stop();
    await writeFile(rack.rackFile, rackYaml.replace(`${userinfo}, ${cloudPlatform}`, userinfo));

    const next = await startRack({ google, dir: rack.dir });
    const after = tokenOf(await next.token());

    expect(after).not.toBe(before);
    expect(google.isValid(after, cloudPlatform)).toBe(false);
  });

  it('finds the tokens where rack.yaml says by then, and none of identities that are gone', async () => {
    const google = await startTestGoogle();
    const [first, second] = await Promise.all([memoryFolder(), memoryFolder()]);
    const tokensIn = (yaml: string, folder: string) =>
      yaml.replace('callers:', `tokenFolder: ${folder}\n    callers:`);
    const rack = await startRack({ google, yaml: tokensIn(rackYaml, first) });
    const token = tokenOf(await rack.token());
    const gone = tokenOf(await rack.token({ from: self }));
    google.script({ status: 500 });
    await rack.edit(tokensIn(oneIdentity, second));
    await vi.waitFor(async () => expect(await readdir(second)).toEqual(['tokens.json']));
    expect(await readFile(join(second, 'tokens.json'), 'utf8')).not.toContain(gone);
    await rack.stop();

    const next = await startRack({ google, dir: rack.dir });

    expect(tokenOf(await next.token())).toBe(token);
  });
});

describe('a state directory', () => {
  it.for(['ro,size=64k', 'size=16k'])(
    'that is read-only or full (%s) costs no token, is reported, and does not keep it from stopping',
    async (options, context) => {
      const google = await startTestGoogle();
      const dir = await newRackFolder(google, oneIdentity);
      const state = join(dir, 'state');
      await mkdir(state);
      await mountSmall(context, state, options);
      await writeFile(join(state, 'filler'), Buffer.alloc(1 << 20)).catch(() => undefined);
      const rack = await startRack({ google, dir });
      expect((await rack.token()).status).toBe(200);
      const { status, degraded } = await readiness(rack);
      expect(status).toBe(200);
      expect(degraded).not.toEqual([]);
      await expect(rack.stop()).resolves.toBeUndefined();
    },
  );

  it('that cannot be made costs no token, and is reported', async () => {
    const google = await startTestGoogle();
    const dir = await newRackFolder(google, oneIdentity);
    await writeFile(join(dir, 'state'), 'a file, not a folder');
    const rack = await startRack({ google, dir });
    expect((await rack.token()).status).toBe(200);
    const { status, degraded } = await readiness(rack);
    expect(status).toBe(200);
    expect(degraded).toContain('state directory');
  });

  it('holds nothing of a token, nor do metrics, status and errors', async () => {
    const rack = await startRack();
    const token = tokenOf(await rack.token());
    await rack.get('instance/service-accounts/default/identity?audience=x');
    await rack.stop();
    const files = (await readdir(rack.stateDir, { recursive: true, withFileTypes: true })).filter(
      (f) => f.isFile(),
    );
    for (const file of files) {
      const content = await readFile(join(file.parentPath, file.name), 'utf8');
      expect(content).not.toContain(token.slice(-8));
      expect(content).not.toMatch(/ya29|eyJ/);
    }
  });
});

it('starts although the state directory is read-only', async (context) => {
  if (process.getuid?.() === 0) context.skip('root may write everywhere');
  const google = await startTestGoogle();
  const dir = await newRackFolder(google, oneIdentity);
  await mkdir(join(dir, 'state'));
  await chmod(join(dir, 'state'), 0o500);
  const rack = await startRack({ google, dir });
  expect((await rack.token()).status).toBe(200);
  expect((await readiness(rack)).degraded).toContain('state directory');
});
