import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lacks } from '@skolo/simulators';
import { describe, expect, it, onTestFinished } from 'vitest';
import { generatedKinds, generateValue } from './generate.ts';

describe('a generated value', () => {
  it.each(generatedKinds)('of kind %s is another one each time', async (kind) => {
    const [first, second] = [await generateValue(kind, 'c'), await generateValue(kind, 'c')];

    expect(first.value.reveal()).not.toBe(second.value.reveal());
    expect(first.value.reveal().length).toBeGreaterThanOrEqual(15);
  });

  it('that devices accept has no sign that their command lines read', async () => {
    for (const kind of ['password', 'snmp-key', 'snmp-community'] as const) {
      expect((await generateValue(kind, '')).value.reveal()).toMatch(
        /^(?=.*[a-z])(?=.*[A-Z])(?=.*\d)[A-Za-z0-9]{15,20}$/,
      );
    }
  });

  it.skipIf(lacks('ssh'))('is an ssh key that OpenSSH reads', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'skolo-key-'));
    onTestFinished(() => rm(dir, { recursive: true }));
    for (let i = 0; i < 8; i++) {
      const made = await generateValue('ssh-key', `rack4/id${'x'.repeat(i)}`);
      await writeFile(join(dir, `${i}`), made.value.reveal(), { mode: 0o600 });

      const derived = execFileSync('ssh-keygen', ['-y', '-f', join(dir, `${i}`)], {
        encoding: 'utf8',
      });
      expect(made.public).toEqual({ what: 'public key', text: derived.trim() });
    }
  });

  it.skipIf(lacks('openssl'))('is a key for agents that openssl reads', async () => {
    const made = await generateValue('agent-key', '');

    const der = execFileSync('openssl', ['pkey', '-pubout', '-outform', 'DER'], {
      input: made.value.reveal(),
    });
    // RFC 8410, section 4: the last 32 bytes are the key.
    expect(made.public?.text).toBe(der.subarray(-32).toString('base64url'));
  });

  it.skipIf(lacks('age'))('is an age identity that age reads', async () => {
    const made = await generateValue('age-identity', '');

    const recipient = execFileSync('age-keygen', ['-y'], {
      input: made.value.reveal(),
      encoding: 'utf8',
    });
    expect(made.public).toEqual({ what: 'recipient', text: recipient.trim() });
  });
});
