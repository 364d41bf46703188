import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import { startOpenwrt } from '@skolo/simulators';
import { describe, expect, it } from 'vitest';
import { memberBytes, readSmallTar } from '../configuration/archive.ts';
import { createMask } from '../configuration/mask.ts';
import { textOf } from '../configuration/text.ts';
import { answering } from '../testing/answering.ts';
import { isMasked, stepsOf } from '../testing/configurations.ts';
import { type account, backUp, bytesOf, simulated } from '../testing/simulated-device.ts';
import { backup } from './openwrt.ts';

async function sit() {
  const start = (login: typeof account) => startOpenwrt({ ...login, secondMs: 1 });
  return { ...(await simulated(start, { model: 'openwrt' })), model: backup() };
}

function filesIn(bytes: Buffer): Map<string, Buffer> {
  const members = readSmallTar(bytes);
  return new Map(members.map((member) => [member.name, memberBytes({ bytes }, member)]));
}

describe('the configuration of an OpenWrt router', () => {
  it('is always the same archive', async () => {
    const { model, connect } = await sit();

    const { content } = await backUp(model, connect());
    const again = await backUp(model, connect());

    expect(bytesOf(again.content)).toEqual(bytesOf(content));
  });

  it('shows none of its secrets once they are masked', async () => {
    const { model, connect } = await sit();
    const { content } = await backUp(model, connect());

    const kept = ["option public_key 'PublicKeyThatIsNoSecret", 'ssh-ed25519 AAAAC3'];
    const masked = isMasked(textOf(bytesOf(content), 'tar'), model, {
      secret: /s3cret/gi,
      least: 13,
      kept: [...kept, "option ssid 'phones'"],
    });
    expect(masked).toMatch(/dropbear_ed25519_host_key, file .*: 83 bytes, SHA-256 [0-9a-f]{64}\n/);
  });

  it.each(["option pincode '§'", "option puk '§'", "option hmackey '§'", '\tlist pincode "§"'])(
    'shows no secret in %s',
    (text) => {
      const masked = createMask(Buffer.alloc(32, 1)).text(
        text.replace('§', '1234'),
        backup().secrets,
      );

      expect(masked).not.toContain('1234');
    },
  );

  it('is what the steps hand to sysupgrade', async () => {
    const sitting = await sit();
    const { device, model, connect } = sitting;
    const { content } = await backUp(model, connect());

    const [show, load = ''] = stepsOf(sitting, bytesOf(content))[0]?.lines ?? [];
    const [, remote = ''] = /ssh .* '(.*)'$/.exec(load) ?? [];
    const packed = execFileSync('gzip', ['-n', '-c'], { input: bytesOf(content) });
    await connect().exec(remote, { input: packed });

    expect(show).toBe('skolo backup show device-1 --version abc --secrets -o device-1.tar');
    expect(load).toContain('gzip -n -c device-1.tar | ssh ');
    expect(filesIn(gunzipSync(device.restored() ?? Buffer.alloc(0)))).toEqual(device.contents());
  });

  it('is not whole where a byte is missing or another', async () => {
    const { model, inventory, connect } = await sit();
    const { content } = await backUp(model, connect());
    const packed = gzipSync(bytesOf(content));
    const digest = createHash('sha256').update(packed).digest();
    const damages = [
      ['its last byte is missing', packed.subarray(0, -1)],
      ['its second half is missing', packed.subarray(0, packed.length / 2)],
      ['a bit of it is another', flipped(packed, digest.readUInt16BE(0) % (packed.length - 20))],
      ['there is nothing', Buffer.alloc(0)],
      ['it is text', Buffer.from('-ash: sysupgrade: not found\n')],
      ['it is an empty archive', gzipSync(Buffer.alloc(1024))],
    ] as const;
    for (const [what, bytes] of damages) {
      const connection = answering(inventory, () => bytes);
      const read = async () => {
        const reading = await model.read(connection);
        throw new Error(await model.incomplete(reading.content));
      };

      await expect(read(), what).rejects.toThrow(/cannot be used|no archive|does not contain/);
    }
  });
});

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at + 10] = (copy[at + 10] ?? 0) ^ 1;
  return copy;
}
