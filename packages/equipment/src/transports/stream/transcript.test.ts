import { Secret } from '@skolo/base/secrets';
import { runs, tempDir } from '@skolo/base/testing';
import { lacks } from '@skolo/simulators';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openCli } from '../session/open.ts';
import { fastpath } from '../testing/dialects.ts';
import { startSwitch } from '../testing/edge-switch.ts';
import { fakeSwitch } from '../testing/fake-switch.ts';
import { openCommands, sshdTarget } from '../testing/sessions.ts';
import { password, startSshServer, user } from '../testing/ssh-server.ts';
import { startSshd } from '../testing/sshd.ts';
import { deps, soon, target } from '../testing/targets.ts';
import { Transcript } from './transcript.ts';

const signal = soon();

function transcript() {
  const said: string[] = [];
  let last = '';
  const onTranscript = (from: 'us' | 'device', text: string) => {
    if (from === last) said[said.length - 1] += text;
    else said.push(`${from}: ${text}`);
    last = from;
  };
  return { said, onTranscript };
}

describe('a transcript', () => {
  it('has all that was said at a command line, and no password', async () => {
    const { said, onTranscript } = transcript();
    const device = fakeSwitch({
      enablePassword: 'let-me',
      answers: { 'show a': `the password is ${password}, Z\xfcrich\r\n` },
    });
    const server = await startSshServer({ shell: device.serve });
    const credentials = { enablePassword: new Secret('let-me') };
    const cli = await openCli(
      target(server.port, credentials),
      'ssh',
      fastpath,
      await deps({ onTranscript }),
      signal,
    );

    await cli.run('show a', { signal });
    await cli.close();

    const all = said.join('\n');
    expect(all).toContain('device: enable\r\nPassword:\nus: <secret>\r\n');
    expect(all).toContain('us: show a\r');
    expect(all).toContain('the password is <secret>, Z\xfcrich\r\n(UBNT EdgeSwitch) #');
    expect(all).not.toContain(password);
    expect(all).not.toContain('let-me');
  });

  it('has no password of a login over telnet', async () => {
    const { said, onTranscript } = transcript();
    const device = await startSwitch({ telnetPort: 0 });
    const cli = await openCli(
      target(device.telnetPort ?? 0),
      'telnet',
      fastpath,
      await deps({ onTranscript }),
      signal,
    );
    await cli.close();

    expect(said.join('\n')).toContain(`us: ${user}\r`);
    expect(said.join('\n')).toContain('us: <secret>\r');
    expect(said.join('\n')).not.toContain(password);
  });

  it.skipIf(lacks('sshd'))('has commands of their own, and files by their size', async () => {
    const { said, onTranscript } = transcript();
    const session = await openCommands(sshdTarget(await startSshd()), await deps({ onTranscript }));
    const file = `${await tempDir()}/file`;

    await session.execBytes('cat; echo no >&2', { signal, input: Buffer.from('text') });
    await session.upload(file, Buffer.from('content'), { signal });
    await session.download(file, { signal });

    expect(said.join('\n').replaceAll(file, 'FILE')).toBe(
      [
        'us: cat; echo no >&2\n<4 bytes>\n',
        'device: textno\n',
        'us: scp -t FILE\nC0600 7 file\n<7 bytes>\nscp -f FILE\n',
        'device: C0600 7 file\n<7 bytes>\n',
      ].join('\n'),
    );
  });

  it('has no secret, however it comes', () => {
    const text = fc.stringMatching(/^[ab]{0,6}$/);
    const secrets = ['abba', 'bab', 'aaa'];

    fc.assert(
      fc.property(fc.array(text), (pieces) => {
        const heard: string[] = [];
        const transcript = new Transcript((_from, said) => heard.push(said), secrets, 'shell');

        for (const piece of pieces) transcript.receive(piece);
        transcript.end();

        // Text in the markers was not sent by either side.
        const kept = heard.join('').replaceAll('<secret>', ' ');
        for (const secret of secrets) expect(kept).not.toContain(secret);
        expect(kept.replaceAll(' ', '').length).toBeLessThanOrEqual(pieces.join('').length);
      }),
      runs(500),
    );
  });

  it('keeps everything else', () => {
    const heard: string[] = [];
    const transcript = new Transcript((_from, said) => heard.push(said), ['secret', ''], 'shell');

    for (const piece of ['a sec', 'ond', ' se', 'cr', 'et', ' s']) transcript.receive(piece);
    transcript.say('x');

    expect(heard.join('')).toBe('a second <secret> sx');
  });
});
