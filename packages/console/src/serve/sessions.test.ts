import { fakeClock } from '@skolo/common/testing';
import { describe, expect, it } from 'vitest';
import { Sessions } from './sessions.ts';

describe('a session', () => {
  it('expires, and so does a link', () => {
    const clock = fakeClock('2026-11-22T00:00:00Z');
    const sessions = new Sessions('rack4', clock);
    const ann = { token: 'token', name: 'ann' };
    const [cookie] = sessions.begin(ann, false).cookie.split(';');
    const { code } = sessions.createLink(ann);
    expect(sessions.find(cookie)?.token).toBe('token');

    clock.pass(61_000);
    expect(sessions.redeem(code)).toBeUndefined();
    clock.pass(12 * 3_600_000);
    expect(sessions.find(cookie)).toBeUndefined();
  });

  it('outlives a thousand sign-ins of another name, and so does a link', () => {
    const sessions = new Sessions('rack4', fakeClock('2026-11-22T00:00:00Z'));
    const ann = { name: 'ann', token: 'of ann' };
    const eve = { name: 'eve', token: 'of eve' };
    const cookieOf = (caller: typeof ann) => sessions.begin(caller, false).cookie.split(';', 1)[0];
    const own = cookieOf(ann);
    const { code } = sessions.createLink(ann);

    for (let count = 0; count < 1000; count += 1) cookieOf(eve);
    for (let count = 0; count < 100; count += 1) sessions.createLink(eve);
    const latest = cookieOf(eve);

    expect(sessions.find(own)?.name).toBe('ann');
    expect(sessions.find(latest)?.name).toBe('eve');
    expect(sessions.redeem(code)).toBe('of ann');
  });
});
