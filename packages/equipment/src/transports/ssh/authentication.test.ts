import { type Credentials, Secret } from '@skolo/base/secrets';
import ssh2 from 'ssh2';
import { describe, expect, it } from 'vitest';
import { SignInRejected } from '../errors.ts';
import { openExec } from '../session/open.ts';
import { openSsh, startSwitch } from '../testing/edge-switch.ts';
import { failsWith } from '../testing/sessions.ts';
import { newKeyPair, startSshServer, user } from '../testing/ssh-server.ts';
import { deps, soon, target } from '../testing/targets.ts';

const { utils } = ssh2;
const signal = soon();

describe('signing in over ssh', () => {
  it.each(['password', 'keyboard-interactive'] as const)('works by %s', async (method) => {
    const device = await startSwitch({ signIn: [method] });

    const cli = await openSsh(device.port);

    expect(cli.isOpen()).toBe(true);
  });

  it.each(['password', 'keyboard-interactive'] as const)(
    'is rejected with a wrong %s, which is not told',
    async (method) => {
      const device = await startSwitch({ signIn: [method] });

      const opened = openSsh(device.port, { credentials: { password: new Secret('not-it') } });

      await failsWith(
        opened,
        SignInRejected,
        `switch-1: rejects the sign-in of "ubnt": skolo offered the password${method === 'password' ? '' : ' interactively'}; accepted methods: ${method}`,
      );
      await expect(opened).rejects.not.toThrow('not-it');
    },
  );

  it.each([
    ['password', 'password-expired'],
    ['keyboard-interactive', 'password-expired'],
    ['none', 'password-expired'],
    ['password', 'new-password-inside'],
    ['keyboard-interactive', 'new-password-inside'],
  ] as const)('is rejected by %s at once with %s, and nothing is typed', async (method, fault) => {
    const device = await startSwitch({ signIn: [method] });
    device.faults.set(fault);

    const opened = openSsh(device.port);

    await failsWith(opened, SignInRejected, 'switch-1: requires a new password');
    expect(device.received).toEqual([]);
  });

  it('for commands is rejected by a server that requests a new password', async () => {
    const server = await startSshServer({
      exec(_command, channel) {
        channel.stderr.write('Password change required but no TTY available.\n');
        channel.exit(1);
        channel.end();
      },
    });

    const session = await openExec(target(server.port), await deps(), signal);

    await expect(session.exec('true', { signal })).rejects.toBeInstanceOf(SignInRejected);
  });

  it.each([
    [[['Password: ', true]], ['right']],
    [
      [
        ['Do you accept and acknowledge the statement above ? (yes/no) : ', true],
        ['Password: ', false],
      ],
      ['yes', 'right'],
    ],
    [
      [
        ['Username: ', true],
        ['Enter PASSCODE:', false],
      ],
      [user, 'right'],
    ],
    [[["ubnt's secret word:", false]], ['right']],
    [[['Response: ', false]], 'asks "Response:" at sign-in'],
    [[['Mot de passe\u00a0: ', false]], ['right']],
    [[['Neues Passwort: ', false]], 'requires a new password'],
    [[['Kennwort: ', false]], 'asks "Kennwort:" at sign-in'],
    [[['Your account expires soon.\nSSH password', false]], ['right']],
    [[['TACACS+ user: ', true]], [user]],
    [[['Verification code: ', false]], 'asks "Verification code:" at sign-in'],
    [[['Erase the flash? [y/n]', true]], 'asks "Erase the flash? [y/n]" at sign-in'],
  ] as [[string, boolean][], string[] | string][])(
    'answers %j by what is asked',
    async (rounds, expected) => {
      const given: string[] = [];
      const server = await startSshServer({
        auth(context) {
          if (context.method !== 'keyboard-interactive') {
            context.reject(['keyboard-interactive']);
            return;
          }
          const ask = (left: [string, boolean][]) => {
            const [[prompt, echo] = ['', false], ...rest] = left;
            if (left.length === 0) context.accept();
            else
              context.prompt([{ prompt, echo }], (answers) => {
                given.push(...answers);
                ask(rest);
              });
          };
          ask(rounds);
        },
      });

      const opened = openExec(target(server.port), await deps(), signal);

      if (typeof expected === 'string') await failsWith(opened, SignInRejected, expected);
      else {
        await (await opened).close();
        expect(given).toEqual(expected);
      }
    },
  );

  it('works by key, and the key comes before the password', async () => {
    const key = newKeyPair();
    const device = await startSwitch({ authorizedKeys: [key.public] });
    const credentials = { privateKey: new Secret(key.private), password: new Secret('wrong') };

    const cli = await openSsh(device.port, { credentials });

    expect(cli.isOpen()).toBe(true);
  });

  it('works by key with a passphrase', async () => {
    const key = utils.generateKeyPairSync('rsa', {
      bits: 2048,
      passphrase: 'open',
      cipher: 'aes256-ctr',
    });
    const device = await startSwitch({ authorizedKeys: [key.public] });
    const privateKey = new Secret(key.private);

    const cli = await openSsh(device.port, {
      credentials: { privateKey, passphrase: new Secret('open') },
    });
    const wrong = {
      username: user,
      privateKey,
      passphrase: new Secret('no-way'),
      legacySsh: false,
    };
    const rejected = openExec({ ...target(device.port), credentials: wrong }, await deps(), signal);

    expect(cli.isOpen()).toBe(true);
    await expect(rejected).rejects.toThrow(/the privateKey cannot be used/);
    await expect(rejected).rejects.not.toThrow('no-way');
  });

  it('works by password where the key is not known', async () => {
    const device = await startSwitch();
    const credentials = { privateKey: new Secret(newKeyPair().private) };

    const cli = await openSsh(device.port, { credentials });

    expect(cli.isOpen()).toBe(true);
  });

  it('offers only what the device takes', async () => {
    const offered: string[] = [];
    const server = await startSshServer({
      auth(context) {
        offered.push(context.method);
        context.reject(['keyboard-interactive']);
      },
    });
    const credentials = { privateKey: new Secret(newKeyPair().private) };

    await expect(openExec(target(server.port, credentials), await deps(), signal)).rejects.toThrow(
      SignInRejected,
    );

    expect(offered).toEqual(['none', 'keyboard-interactive']);
  });

  it('offers one thing once, where a rejection counts', async () => {
    const offered: string[] = [];
    const server = await startSshServer({
      auth(context) {
        offered.push(context.method);
        context.reject(['password', 'keyboard-interactive']);
      },
    });
    const credentials = { privateKey: new Secret(newKeyPair().private), once: true as const };

    const opened = openExec(target(server.port, credentials), await deps(), signal);

    await expect(opened).rejects.toThrow(SignInRejected);
    expect(offered).toEqual(['none', 'password']);
  });

  it('says why a key cannot be used', async () => {
    const device = await startSwitch();
    const credentials: Credentials = {
      username: user,
      privateKey: new Secret('-----BEGIN nonsense'),
      legacySsh: false,
    };
    const wanted = { ...target(device.port), credentials };

    const opened = openExec(wanted, await deps(), signal);

    await failsWith(
      opened,
      SignInRejected,
      /no credentials were offered.*the privateKey cannot be used/,
    );
  });
});
