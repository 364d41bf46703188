/** Who may send alerts. */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ReceiverAuth } from './auth.ts';
import { startReceivers, webhook } from './testing/receiver-lab.ts';

const basicAuth = '{ auth: { username: am, password: { file: password } } }';
const bearerAuth = '{ auth: { bearer: { file: token } } }';
const both = '{ auth: { username: am, password: { file: password }, bearer: { file: token } } }';

const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;

async function startWith(settings: string) {
  const lab = await startReceivers({ settings });
  await writeFile(join(lab.dir, 'password'), 'pässword:1\n');
  await writeFile(join(lab.dir, 'token'), 't0ken\n');
  const ask = async (authorization?: string) =>
    lab.post('/webhook', webhook(), authorization === undefined ? {} : { authorization });
  return { ...lab, ask, status: async (text?: string) => (await ask(text)).status };
}

describe('an endpoint with secrets', () => {
  it.each([
    [basicAuth, basic('am:pässword:1'), 200],
    [basicAuth, basic('am:pässword:1').replace('Basic', 'bAsIc '), 200],
    [basicAuth, basic('am:pässword:2'), 401],
    [basicAuth, basic('am2:pässword:1'), 401],
    [basicAuth, basic('am'), 401],
    [basicAuth, 'Basic', 401],
    [basicAuth, 'Bearer t0ken', 401],
    [basicAuth, undefined, 401],
    [basicAuth, '', 401],
    [bearerAuth, 'Bearer t0ken', 200],
    [bearerAuth, 'bearer t0ken', 200],
    [bearerAuth, 'Bearer T0KEN', 401],
    [bearerAuth, 'Bearer ', 401],
    [bearerAuth, 't0ken', 401],
    [bearerAuth, 'Basic t0ken', 401],
    [both, 'Bearer t0ken', 200],
    [both, basic('am:pässword:1'), 200],
    [both, basic('am:t0ken'), 401],
  ])('%s lets in with %s: %i', async (settings, authorization, status) => {
    const lab = await startWith(settings);

    expect(await lab.status(authorization)).toBe(status);
    expect(lab.batches).toHaveLength(status === 200 ? 1 : 0);
    expect(lab.rejections).toEqual(status === 200 ? [] : [{ endpoint: 'webhook', reason: 'auth' }]);
  });

  it('names the ways to sign in, and never the right secret', async () => {
    const lab = await startWith(both);

    const answer = await lab.ask('Bearer t0ken2');

    expect(answer.get('www-authenticate')).toBe(
      'Basic realm="alert-to-pubsub", charset="UTF-8", Bearer realm="alert-to-pubsub"',
    );
    expect(answer.text).toContain('`services.alert-to-pubsub.auth`');
    expect(answer.text + lab.logged()).not.toMatch(/t0ken|pässword:1/);
  });

  it('uses the current content of the file', async () => {
    const lab = await startWith(bearerAuth);
    expect(await lab.status('Bearer t0ken')).toBe(200);

    await writeFile(join(lab.dir, 'token'), 'new');

    expect(await lab.status('Bearer t0ken')).toBe(401);
    expect(await lab.status('Bearer new')).toBe(200);
  });

  it.each([
    [bearerAuth, 'Bearer t0ken'],
    [both, 'Bearer t0ken'],
    [both, basic('am:pässword:1')],
    [bearerAuth, undefined],
    [bearerAuth, 'Bearer '],
  ])(
    'rejects every caller while a secret cannot be read: %s with %s',
    async (settings, authorization) => {
      const lab = await startWith(settings);
      await rm(join(lab.dir, 'token'));

      const answer = await lab.ask(authorization);

      expect([answer.status, answer.get('retry-after')]).toEqual([503, '10']);
      expect(answer.text).toMatch(
        /all requests are rejected: .*token: no such file; create the file/,
      );
      expect(lab.troubles.get('receiver secrets')).toMatch(/token: no such file; create the file/);
      expect(lab.batches).toEqual([]);

      await writeFile(join(lab.dir, 'token'), 't0ken');
      await lab.status('Bearer t0ken');
      expect(lab.troubles.size).toBe(0);
      expect(lab.batches).toHaveLength(1);
    },
  );

  it.each([
    [{ username: 'am' }, 'password'],
    [{ password: { file: 'password' } }, 'username'],
  ])('names what rack.yaml omits, and accepts nobody: %j', async (auth, missing) => {
    const whys: (string | undefined)[] = [];
    const receiver = new ReceiverAuth({
      rack: () => ({ dir: '/nonexistent' }),
      settings: () => ({ auth }),
      emit: (event) => event.type === 'degraded' && whys.push(event.why),
    });
    const why = `\`services.alert-to-pubsub.auth\` in rack.yaml does not set \`${missing}\``;

    await expect(receiver.check(basic('am:'))).rejects.toThrow(`all requests are rejected: ${why}`);
    expect(whys).toEqual([`alerts are rejected: ${why}`]);
  });

  it('accepts every sender once rack.yaml requires no secret', async () => {
    const lab = await startWith(bearerAuth);
    await rm(join(lab.dir, 'token'));
    expect(await lab.status()).toBe(503);

    lab.edit('{}');

    expect(await lab.status()).toBe(200);
    expect(lab.troubles.size).toBe(0);
  });
});
