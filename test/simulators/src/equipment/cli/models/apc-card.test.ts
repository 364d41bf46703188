import { describe, expect, it, onTestFinished } from 'vitest';
import { peer } from '../../../peer.ts';
import { openSsh } from '../testing.ts';
import { type ApcCardOptions, startApcCard } from './apc-card.ts';

async function start(options: Partial<ApcCardOptions> = {}) {
  const device = await startApcCard({ username: 'apc', password: 'p4u', ...options });
  onTestFinished(() => device.close());
  return device;
}

const login = { user: 'apc', password: 'p4u' };

describe.skipIf(peer('ssh') === undefined)('the card of an APC rack PDU, to OpenSSH', () => {
  it.each([
    ['rpdu', 'Rack PDU APP v3.9.2'],
    ['rpdu2', 'Rack PDU 2G APP v6.8.0'],
  ] as const)('gives its configuration by scp (%s)', async (generation, application) => {
    const device = await start({ generation });
    const ssh = await openSsh(device, {
      ...login,
      options: ['-T', '-q'],
      command: 'scp -f config.ini',
    });

    ssh.endWith('\0\0\0');
    const status = await ssh.ended;

    expect(status).toBe(0);
    const text = device.running().toString();
    // It says when it was made.
    const untimed = (file: string) => file.replace(/generated on \S+ at \S+/, 'generated');
    expect(untimed(ssh.output)).toBe(untimed(`C0644 ${text.length} config.ini\n${text}\0`));
    expect(text).toContain(`\n; ${application}\n`);
    expect(text).toMatch(
      /\n; Configuration file, generated on .*\n\n\[NetworkTCP\/IP\]\nOverride=/,
    );
  });

  it('takes one, of which it knows only what it has', async () => {
    const device = await start();
    const text = '[SystemID]\nName=pdu-9\nNonsense=1\n\n[Nonsense]\nA=1\n';
    const ssh = await openSsh(device, {
      ...login,
      options: ['-T', '-q'],
      command: 'scp -t config.ini',
    });

    ssh.endWith(`C0600 ${text.length} config.ini\n${text}\0`);
    await ssh.ended;

    expect(device.running().toString()).toContain('\n[SystemID]\nName=pdu-9\nContact=ann@');
    expect(device.running().toString()).not.toContain('Nonsense');
  });

  it('has a command line, for one at a time', async () => {
    const device = await start();
    const ssh = await openSsh(device, login);
    await ssh.see('apc>');

    ssh.say('about');
    const answer = await ssh.see('apc>');
    const second = await openSsh(device, login);

    expect(answer).toContain('E000: Success\r\n');
    expect(await second.ended).toBe(255);
  });
});
