import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tempDir } from '@skolo/base/testing';
import { fakeClock } from '@skolo/common/testing';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { openSessionStore } from './session-store.ts';
import { Sessions } from './sessions.ts';

const ann = { token: 'of ann', name: 'ann' };
const hourMs = 3_600_000;
const warned: string[] = [];
const log = { warn: (_: object, text: string) => void warned.push(text) };
let file: string;
let clock = fakeClock('2026-11-22T00:00:00Z');
beforeEach(async () => {
  warned.length = 0;
  clock = fakeClock('2026-11-22T00:00:00Z');
  file = join(await tempDir(), 'console', 'sessions.json');
});

/** As after a start of the service. */
async function start(rack = 'rack4') {
  const store = await openSessionStore(file, log);
  await store.save();
  return new Sessions(rack, clock, store);
}

function cookieOf(sessions: Sessions, person: Parameters<Sessions['start']>[0] = ann): string {
  const [cookie = ''] = sessions.start(person, false).cookie.split(';', 1);
  return cookie;
}

describe('a session', () => {
  it('survives restarts, and expires after twelve hours', async () => {
    const cookie = cookieOf(await start());

    clock.pass(12 * hourMs - 1);
    const again = await start();
    expect(again.find(cookie)).toMatchObject(ann);
    clock.pass(1);

    expect(again.find(cookie)).toBeUndefined();
    // For the audit log, once.
    expect(again.takeExpired(cookie)).toMatchObject({ name: 'ann' });
    expect(again.takeExpired(cookie)).toBeUndefined();
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it('that was signed out stays so after a restart', async () => {
    const before = await start();
    const [cookie, other] = [cookieOf(before), cookieOf(before)];

    await before.end(cookie);

    for (const sessions of [before, await start()]) {
      expect(sessions.find(cookie)).toBeUndefined();
      expect(sessions.takeExpired(cookie)).toBeUndefined();
      expect(sessions.find(other)?.token).toBe('of ann');
    }
    clock.pass(13 * hourMs);
    cookieOf(before);
    await before.end(cookieOf(before));
    expect(Object.keys(JSON.parse(await readFile(file, 'utf8')).ended)).toHaveLength(1);
  });

  it('only reads if the audit log may lack the sign-in, whatever happens later', async () => {
    const before = await start();
    let isWritten = false;
    const noted = {
      get isWritten() {
        return isWritten;
      },
    };
    const cookie = cookieOf(before, { ...ann, noted });
    expect(before.find(cookie)?.noted?.isWritten).toBe(false);

    isWritten = true;

    expect(before.find(cookie)?.noted?.isWritten).toBe(true);
    expect((await start()).find(cookie)?.noted?.isWritten).toBe(false);
    expect((await start()).find(cookieOf(before))?.noted?.isWritten).toBe(true);
  });

  it('is not of another rack, forged or changed', async () => {
    const cookie = cookieOf(await start());
    const sessions = await start();
    const [name = '', value = ''] = cookie.split('=', 2);
    expect((await start('rack5')).find(cookie.replace('rack4', 'rack5'))).toBeUndefined();

    fc.assert(
      fc.property(fc.nat(value.length - 1), fc.base64String({ minLength: 0 }), (at, text) => {
        const changed = value.slice(0, at) + text + value.slice(at + 1);
        const isSame = Buffer.from(changed, 'base64url').equals(Buffer.from(value, 'base64url'));
        expect(sessions.find(`${name}=${changed}`) !== undefined).toBe(isSame);
      }),
    );
    expect(JSON.stringify(Buffer.from(value, 'base64url').toString('latin1'))).not.toContain('ann');
  });

  it.each([
    ['cannot be written', async () => mkdir(file, { recursive: true })],
    [
      'is damaged',
      async () => {
        await mkdir(join(file, '..'));
        await writeFile(file, '{"key": "c2hvcnQ=", "ended": {}}');
      },
    ],
  ])('begins although the file %s, with a warning', async (_, damage) => {
    await damage();

    const sessions = await start();

    expect(sessions.find(cookieOf(sessions))).toMatchObject(ann);
    expect(warned.length).toBeGreaterThan(0);
  });
});

describe('a link', () => {
  it('works once, within a minute', async () => {
    const sessions = await start();
    const links = [sessions.createLink(ann), sessions.createLink(ann)];

    expect(sessions.redeem(links[0]?.code ?? '')).toBe('of ann');
    expect(sessions.redeem(links[0]?.code ?? '')).toBeUndefined();
    clock.pass(60_000);
    expect(sessions.redeem(links[1]?.code ?? '')).toBeUndefined();
  });

  it('outlives a hundred links of another name', async () => {
    const sessions = await start();
    const { code } = sessions.createLink(ann);

    for (let count = 0; count < 100; count += 1) sessions.createLink({ name: 'eve', token: 'x' });

    expect(sessions.redeem(code)).toBe('of ann');
  });
});
