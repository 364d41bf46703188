import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run, tempDir } from '@skolo/base/testing';
import { parseRack } from '@skolo/rack';
import { afterAll, describe, expect, it } from 'vitest';
import { firstBoot } from './first-boot.ts';
import { identityOf, identityText, publicKeysOf } from './identity.ts';

const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIG8h7yCsGpRcCUrXQ4dQ1zMTx3vCJ0twiFddltindeIY ann';

function rackOf(more = '') {
  return parseRack(
    `rack: rack4
timezone: UTC
network: { subnet: 192.168.1.0/24 }
jumphost: { name: jumphost-rack4, address: 192.168.1.8 }
logins: { router: { username: admin, privateKey: secrets/key } }
equipment: { router: { model: edgeos, address: 192.168.1.1, login: router, uplink: internet } }
${more}`,
    { file: 'rack.yaml' },
  );
}

const folder = await tempDir(afterAll);
await writeFile(join(folder, 'first-boot'), firstBoot);

describe('the identity of a jumphost', () => {
  const good = identityText(identityOf({ rack: rackOf(), keys: [key] }));
  it('is what rack.yaml says, in a file that a person can read', () => {
    expect(good.replace(/^sha256 .*/m, 'sha256 …')).toBe(`skolo-identity 1
# Read when a jumphost first boots. Contains no secrets. Do not edit it: any change makes it invalid.
rack rack4
name jumphost-rack4
address 192.168.1.8/24
gateway 192.168.1.1
dns 192.168.1.1
key ${key}
sha256 …
`);
  });

  it('is that of a machine, as a spare', () => {
    const rack = rackOf('machines: { spare: { kind: host, address: 192.168.1.9 } }');

    const identity = identityOf({ rack, keys: [key], machine: 'spare', nameServers: [] });

    expect(identity).toMatchObject({ name: 'spare', address: '192.168.1.9', nameServers: [] });
    expect(() => identityOf({ rack, keys: [key], machine: 'spaer' })).toThrow(
      'rack4: rack.yaml does not contain machine spaer; add it',
    );
  });

  it('has no gateway outside of the subnet', () => {
    expect(() => identityOf({ rack: rackOf(), keys: [key], gateway: '192.168.2.1' })).toThrow(
      'rack4: the gateway 192.168.2.1 is outside 192.168.1.0/24; specify another one with --gateway',
    );
  });

  const damaged = 'is damaged or was edited; recreate the stick';
  const foreign = 'is damaged or from another version of skolo; recreate the stick';
  it.each([
    ['as it was written', good, ''],
    ['with another address', good.replace('1.8/', '1.9/'), damaged],
    ['cut off', good.slice(0, 200), damaged],
    ['cut off before the checksum', good.replace(/sha256 .*\n/, ''), damaged],
    ['with ends of lines of Windows', good.replaceAll('\n', '\r\n'), foreign],
    ['empty', '', foreign],
    ['of a later version', good.replace('identity 1', 'identity 2'), foreign],
    [
      'without a key',
      identityText(identityOf({ rack: rackOf(), keys: [] })),
      'does not contain a value for key; recreate the stick',
    ],
  ])('is read by the first start, %s', async (_, text, problem) => {
    const file = join(folder, 'skolo-identity.txt');
    await writeFile(file, text);

    const checked = run('sh', [join(folder, 'first-boot'), '--check', file]);

    if (problem === '') expect((await checked).stdout).toBe('');
    else await expect(checked).rejects.toMatchObject({ stdout: expect.stringContaining(problem) });
  });

  it('has public keys alone', () => {
    expect(publicKeysOf(`# ann\n${key}\n\n`, 'id.pub')).toEqual([key]);
    expect(() => publicKeysOf('-----BEGIN OPENSSH PRIVATE KEY-----\nb3B', 'id')).toThrow(
      /^id: contains a private key; specify the file that ends with .pub$/,
    );
    expect(() => publicKeysOf('hunter2', 'id.pub')).toThrow(
      /^id.pub: contains a line that is not an SSH public key/,
    );
  });
});
