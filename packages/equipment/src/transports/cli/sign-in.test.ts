import type { Duplex } from 'node:stream';
import { type Credentials, Secret } from '@skolo/base/secrets';
import type { EdgeSwitchOptions } from '@skolo/simulators';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  DeviceAsks,
  DeviceBusy,
  DeviceRejected,
  DeviceTimeout,
  SignInRejected,
} from '../errors.ts';
import { openCli } from '../session/open.ts';
import type { SessionDeps } from '../session.ts';
import { fastpath } from '../testing/dialects.ts';
import { startSwitch } from '../testing/edge-switch.ts';
import { type FakeSwitchOptions, fakeSwitch } from '../testing/fake-switch.ts';
import { failsWith } from '../testing/sessions.ts';
import { password, user } from '../testing/ssh-server.ts';
import { deps, soon, target } from '../testing/targets.ts';
import { startTcpServer } from '../testing/tcp-server.ts';

const signal = soon();

const start = (options: Partial<EdgeSwitchOptions> = {}) =>
  startSwitch({ telnetPort: 0, ...options });

interface How {
  transport?: 'ssh' | 'telnet';
  credentials?: Partial<Credentials>;
  deps?: Partial<SessionDeps>;
}

async function open(
  device: { port: number; telnetPort?: number },
  { transport = 'ssh', credentials, deps: more }: How = {},
) {
  const port = transport === 'ssh' ? device.port : (device.telnetPort ?? 0);
  const cli = await openCli(
    target(port, credentials),
    transport,
    fastpath,
    await deps(more),
    signal,
  );
  onTestFinished(() => cli.close());
  return cli;
}

/** A telnet device whose terminal the test controls. */
async function openTerminal(serve: (stream: Duplex) => void, how: How = {}) {
  const server = await startTcpServer(serve);
  return await open({ port: 0, telnetPort: server.port }, { transport: 'telnet', ...how });
}

function openFake(options: FakeSwitchOptions, how?: How) {
  return openTerminal(fakeSwitch(options).serve, how);
}

describe.each(['ssh', 'telnet'] as const)('signing in over %s', (transport) => {
  it('leads to the privileged prompt', async () => {
    const device = await start();

    const cli = await open(device, { transport });

    expect(await cli.run('show running-config interface 0/1', { signal })).toContain('0/1');
    expect(device.received[0]?.text).toBe('enable');
    expect(device.sessions).toMatchObject({ now: 1, opened: 1 });
  });

  it.each([
    ['none', undefined, undefined],
    ['the one of the login', undefined, password],
    ['an empty one', undefined, ''],
    ['one of its own', 'enable me', 'enable me'],
  ])('takes for the second password %s', async (_which, given, enablePassword) => {
    const device = await start({ ...(enablePassword !== undefined && { enablePassword }) });
    const credentials = given === undefined ? {} : { enablePassword: new Secret(given) };

    const cli = await open(device, { transport, credentials });

    expect(await cli.run('show running-config', { signal })).toContain('!Current Configuration:');
  });

  it.each([
    ['wrong', 'not it', 'the enablePassword in its login is wrong'],
    ['missing', undefined, 'set enablePassword in its login'],
  ])('says that the second password is %s', async (_what, given, hint) => {
    const device = await start({ enablePassword: 'enable me' });
    const credentials = given === undefined ? {} : { enablePassword: new Secret(given) };

    const opened = open(device, { transport, credentials });

    await failsWith(
      opened,
      SignInRejected,
      `switch-1: rejects the change to privileged mode; ${hint}`,
    );
    await vi.waitFor(() => expect(device.sessions.now).toBe(0));
  });

  it('is rejected with a wrong password', async () => {
    const device = await start();

    const opened = open(device, { transport, credentials: { password: new Secret('wrong') } });

    await expect(opened).rejects.toBeInstanceOf(SignInRejected);
    await expect(opened).rejects.not.toThrow(/: .*wrong/);
  });

  it('does not believe a prompt in a banner', async () => {
    const device = await start({ enablePassword: password });
    device.faults.set('prompt-in-banner');
    device.faults.slowMs = 300;

    const cli = await open(device, { transport });

    expect(await cli.run('show poe status 0/8', { signal })).toMatch(/^0\/8 /m);
    expect(await cli.run('show poe status 0/7', { signal })).toMatch(/^0\/7 /m);
  });

  it('takes its time where the device does', async () => {
    const device = await start({ enablePassword: password });
    device.faults.set('slow');
    device.faults.slowMs = 100;

    const cli = await open(device, { transport });

    expect(await cli.run('show poe status 0/8', { signal })).toMatch(/^0\/8 /m);
  });

  it('does not wait for ever for a device that is wedged', async () => {
    const device = await start();
    device.faults.set('wedged');

    const opened = open(device, { transport, deps: { signInMs: 300 } });

    await failsWith(opened, DeviceTimeout, /within 0\.3 s/);
  });

  it('says so when the device hangs up', async () => {
    const device = await start();
    device.faults.set('busy');

    await expect(open(device, { transport })).rejects.toThrow(/closed the connection|was cut/);
  });
});

describe('signing in inside the session', () => {
  it('happens over ssh, too', async () => {
    const device = await start({ signIn: ['none'] });

    const cli = await open(device);

    expect(await cli.run('show poe status 0/1', { signal })).toContain('0/1');
  });

  it('is rejected with a wrong password over ssh, too', async () => {
    const device = await start({ signIn: ['none'] });

    const opened = open(device, { credentials: { password: new Secret('wrong') } });

    await expect(opened).rejects.toThrow('switch-1: rejects the user and password in its login');
  });

  it.each(['username', 'password'] as const)('needs a %s in the login', async (missing) => {
    const credentials = { username: user, password: new Secret(password) };
    delete credentials[missing];
    const device = await start();
    const wanted = {
      ...target(device.telnetPort ?? 0),
      credentials: { ...credentials, legacySsh: false },
    };

    const opened = openCli(wanted, 'telnet', fastpath, await deps(), signal);

    await failsWith(opened, SignInRejected, `its login has no ${missing}`);
  });

  it('survives that an empty line was taken for a name', async () => {
    const inner = fakeSwitch({ login: { username: user, password } });

    const cli = await openTerminal((stream) => {
      stream.write('\r\n(old) #');
      setTimeout(() => {
        stream.write('!\r\n');
        inner.serve(stream);
      }, 150);
    });

    expect(cli.isOpen()).toBe(true);
    expect(inner.commands).toEqual(['enable', 'terminal length 0']);
  });
});

describe('a device that signs in oddly', () => {
  it('may wait for a return first', async () => {
    const inner = fakeSwitch();

    const cli = await openTerminal((stream) => {
      stream.write('Press RETURN to get started.\r\n');
      stream.once('data', () => inner.serve(stream));
    });

    expect(cli.isOpen()).toBe(true);
  });

  it('may say log messages meanwhile', async () => {
    const log = '<190> Jan  1 00:05:33 UBNT-1 TRAPMGR[t]: traputil.c(721) 213 %% Link Up\r\n';

    const cli = await openFake({ banner: `\r\n${log}`, answers: { 'show a': 'A\r\n' } });

    expect(await cli.run('show a', { signal })).toBe('A');
  });

  it.each([
    'Too many users are logged in.',
    'Sorry, maximum number of telnet sessions reached',
    'All vty lines are in use',
  ])('and says that it is busy, is busy: %s', async (text) => {
    const opened = openTerminal((stream) => stream.end(`\r\n${text}\r\n`));

    await failsWith(opened, DeviceBusy, text);
  });

  it('and hangs up after a wrong password, rejects', async () => {
    const opened = openTerminal((stream) => {
      stream.write('Password:');
      stream.on('data', (bytes: Buffer) => {
        if (bytes.includes('\r')) stream.end('\r\nLogin incorrect\r\n');
      });
    });

    await failsWith(opened, SignInRejected, 'Login incorrect');
  });

  it.each([
    ['at once', 'Enter new password:'],
    ['for the old one first', 'Password change required.\r\n(current) UNIX password: '],
    ['as RouterOS does', 'Change your password\r\n\r\nnew password> '],
    ['in a question', 'Do you want to change your password? [y/n]: '],
    ['by the usual question', 'Your password has expired and must be changed.\r\nPassword:'],
  ])('and requests a new password %s, gets nothing typed', async (_how, request) => {
    let typed = '';
    const opened = openTerminal((stream) => {
      stream.write('\r\nUser:');
      const questions = ['Password:', `\r\n${request}`];
      stream.on('data', (bytes: Buffer) => {
        const text = bytes.toString('latin1').replace(/\xff[\xfb-\xfe]./gs, '');
        typed += text;
        for (const _ of text.match(/\r/g) ?? []) stream.write(questions.shift() ?? '');
      });
    });

    await failsWith(opened, SignInRejected, 'switch-1: requires a new password');
    expect(typed.match(/\r/g)).toHaveLength(2);
  });

  it('and asks for a new password instead of leading to the privileged mode, gets none', async () => {
    let typed = '';
    const opened = openTerminal((stream) => {
      stream.write('(UBNT) >');
      stream.on('data', (bytes: Buffer) => {
        typed += bytes.toString('latin1').replace(/\xff[\xfb-\xfe]./gs, '');
        if (typed.endsWith('enable\r\0')) stream.write('enable\r\nEnter new password:');
        else if (typed.endsWith('\r\0')) stream.write('\r\n(UBNT) >');
      });
    });

    await failsWith(opened, SignInRejected, 'switch-1: requires a new password');
    expect(typed.endsWith('enable\r\0')).toBe(true);
  });

  it('and says in a banner that passwords must be changed, is signed in to', async () => {
    const banner =
      '\r\nAll passwords must be changed each year.\r\nEnter new passwords at the console.\r\n';
    const login = { username: user, password };

    const cli = await openTerminal((stream) => {
      stream.write(banner);
      fakeSwitch({ login, banner }).serve(stream);
    });

    expect(cli.isOpen()).toBe(true);
  });

  it('and has another prompt each time, has none', async () => {
    let count = 0;
    const names = ['a', 'bc', 'd', 'e', 'fg', 'h', 'i'];
    const opened = openTerminal((stream) => {
      stream.write('(first) >');
      stream.on('data', (bytes: Buffer) => {
        if (!bytes.includes('\r')) return;
        count += 1;
        stream.write(`\r\n(${names[count]}) >`);
      });
    });

    await expect(opened).rejects.toThrow('switch-1: the prompt changes every time');
  });

  it('and says nothing that looks like a prompt, is told with its last words', async () => {
    const opened = openTerminal((stream) => stream.write('\r\nBootloader>>'), {
      deps: { signInMs: 3000 },
    });

    await expect(opened).rejects.toThrow(
      'switch-1: no prompt within 3 s; last output: "Bootloader>>"',
    );
  });
});

/** Asks the first of these, and the next at each line end. */
function questions(typed: string[], ...texts: string[]) {
  return (stream: Duplex) => {
    const rest = [...texts];
    let line = '';
    stream.write(rest.shift() ?? '');
    stream.on('data', (bytes: Buffer) => {
      const text = bytes.toString('latin1').replace(/\xff\xfa.*?\xff\xf0|\xff[\xfb-\xfe]./gs, '');
      for (const sign of text.replaceAll('\0', '')) {
        if (sign === '\r') {
          typed.push(line);
          line = '';
          stream.write(`\r\n${rest.shift() ?? ''}`);
        } else line += sign;
      }
    });
  };
}

describe('a question that skolo does not answer', () => {
  const menu =
    '\x1b[2J  1. Status\r\n  2. Configuration\r\n  5. Command Line\r\n  6. Reboot\r\n  7. Exit';

  it.each([
    ['a choice', 'Configuration differs. Are you sure to save now?[Y/N]:', 'save now?[Y/N]:'],
    ['a choice with a default', 'Boot the old image (yes/no) [yes]? ', 'old image (yes/no)'],
    ['a menu', menu, 'Reboot'],
  ])('such as %s fails with its text, and nothing is typed', async (_what, question, shown) => {
    const typed: string[] = [];
    const credentials = { signInSeconds: 4 };

    const opened = openTerminal(questions(typed, 'User:', 'Password:', question), { credentials });

    await failsWith(opened, DeviceRejected, shown);
    await expect(opened).rejects.toThrow('sign in manually');
    expect(typed).toEqual([user, password]);
  });

  const second = { enablePassword: new Secret('second') };

  it.each([
    ['Enable password:', {}],
    ['Enter the enable secret of the lab:', {}],
    ['Secret for level 15: ', {}],
    ['Enter PASSCODE:', {}],
    ['Kennwort: ', { enablePrompt: '^Kennwort:' }],
    ['Schlüssel: ', { enablePrompt: '^Schlüssel:' }],
  ])('at enable is not %j, which gets the enablePassword', async (question, more) => {
    const typed: string[] = [];
    const prompts = ['(sw) >', '(sw) >', question, '(sw) #', '(sw) #'];

    const opened = openTerminal(questions(typed, ...prompts), {
      credentials: { ...second, ...more },
    });

    // The device echoes nothing that follows, and the test does not wait for that to be noticed.
    opened.catch(() => undefined);
    await vi.waitFor(() =>
      expect(typed.slice(0, 4)).toEqual(['', 'enable', 'second', 'terminal length 0']),
    );
  });

  it.each(['Username for enable:', 'TACACS+ user:', 'Please Enter Login Name: ________'])(
    'at enable is not %j, which gets the name',
    async (question) => {
      const typed: string[] = [];
      const prompts = ['(sw) >', '(sw) >', question, 'Password:', '(sw) #', '(sw) #'];

      const opened = openTerminal(questions(typed, ...prompts), { credentials: second });

      opened.catch(() => undefined);
      await vi.waitFor(() => expect(typed.slice(0, 4)).toEqual(['', 'enable', user, 'second']));
    },
  );

  it.each(['Kennwort:', 'Response:', 'Do you accept (yes/no)?'])(
    'at enable is %j, and nothing is typed',
    async (question) => {
      const typed: string[] = [];
      const prompts = ['(sw) >', '(sw) >', question];

      const opened = openTerminal(questions(typed, ...prompts), { credentials: second });

      await failsWith(opened, DeviceAsks, `asks ${JSON.stringify(question)}`);
      expect(typed).toEqual(['', 'enable']);
    },
  );

  it.each(['Kennwort:', 'Response:', 'Forgot your access code? Call 555:'])(
    'at sign-in is %j, and nothing is typed',
    async (question) => {
      const typed: string[] = [];
      const credentials = { signInSeconds: 3 };

      const opened = openTerminal(questions(typed, 'User:', question), { credentials });

      await failsWith(opened, DeviceAsks, `asks ${JSON.stringify(question)}`);
      expect(typed).toEqual([user]);
    },
  );

  it('at enable is no key, which is pressed', async () => {
    let typed = '';
    const opened = openTerminal((stream) => {
      stream.write('(sw) >');
      stream.on('data', (bytes: Buffer) => {
        typed += bytes.toString('latin1').replace(/\xff[\xfb-\xfe]./gs, '');
        if (typed.endsWith('enable\r\0')) stream.write('\r\nPress any key to continue');
        else stream.write(`\r\n(sw) ${typed.endsWith(' ') ? '#' : '>'}`);
      });
    });

    opened.catch(() => undefined);
    await vi.waitFor(() => expect(typed).toContain('enable\r\0 terminal'));
  });

  it('may be in a banner that pauses there, and gets no password', async () => {
    const typed: string[] = [];
    const prompts = ['User:', 'Password:', '(sw) #', '(sw) #'];
    const opened = openTerminal((stream) => {
      stream.write('\r\nNever give your password: to anyone.\r\nYour password:');
      setTimeout(
        () => questions(typed, ` is yours.\r\n${prompts[0]}`, ...prompts.slice(1))(stream),
        700,
      );
    });

    opened.catch(() => undefined);
    await vi.waitFor(() => expect(typed.slice(0, 3)).toEqual([user, password, '']));
  });

  it('at enable fails with its text', async () => {
    const typed: string[] = [];

    const opened = openTerminal(
      questions(typed, '(sw) >', '(sw) >', 'Another user has this mode. Take over? [y/n]'),
    );

    await failsWith(opened, DeviceRejected, 'Take over? [y/n]');
    expect(typed).toEqual(['', 'enable']);
  });
});

describe('a login that may be offered once', () => {
  /** Asks for the password repeatedly without a reason, at sign-in or at `enable`. */
  function insistent(at: 'sign-in' | 'enable', typed: string[]) {
    return (stream: Duplex) => {
      let state: 'user' | 'password' | 'inside' | 'enable' = 'user';
      let line = '';
      stream.write('User:');
      const answer = () => {
        if (state === 'user') state = 'password';
        else if (state === 'password') {
          typed.push(line);
          if (at === 'enable') state = 'inside';
        } else if (state === 'enable') typed.push(line);
        else if (line === 'enable') state = 'enable';
        line = '';
        stream.write(state === 'inside' ? '\r\n(sw) >' : '\r\nPassword:');
      };
      stream.on('data', (data: Buffer) => {
        for (const sign of data.toString('latin1')) {
          if (sign === '\r') answer();
          else if (sign >= ' ' && sign <= '~') line += sign;
        }
      });
    };
  }

  it.each([
    ['sign-in', [password]],
    ['enable', [password, 'second']],
  ] as const)('is not offered again at %s', async (at, expected) => {
    const typed: string[] = [];
    const credentials = { enablePassword: new Secret('second'), once: true as const };

    const opened = openTerminal(insistent(at, typed), { credentials });

    await expect(opened).rejects.toThrow(SignInRejected);
    expect(typed).toEqual(expected);
  });
});
