import { describe, expect, it, onTestFinished } from 'vitest';
import { lacks } from '../../../peer.ts';
import { openSsh } from '../testing.ts';
import { type ApcCardOptions, startApcCard } from './apc-card.ts';

async function start(options: Partial<ApcCardOptions> = {}) {
  const device = await startApcCard({ username: 'apc', password: 'p4u', ...options });
  onTestFinished(() => device.close());
  return device;
}

const login = { user: 'apc', password: 'p4u' };

describe.skipIf(lacks('ssh'))('the card of an APC rack PDU, to OpenSSH', () => {
  it('keeps the file that is put', async () => {
    const device = await start();
    const text = '[SystemID]\nName=pdu-9\n';
    const ssh = await openSsh(device, {
      ...login,
      options: ['-T', '-q'],
      command: 'scp -t config.ini',
    });

    ssh.endWith(`C0600 ${text.length} config.ini\n${text}\0`);
    await ssh.ended;

    expect(device.running().toString()).toBe(text);
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
