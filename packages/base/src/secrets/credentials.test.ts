import { describe, expect, it } from 'vitest';
import { type Credentials, readCredentials, secretsOf, valuesIn } from './credentials.ts';
import type { Login } from './login.ts';
import { Secret } from './secret.ts';

const login: Login = {
  name: 'switches',
  username: 'ubnt',
  password: { file: 'password' },
  enablePassword: { file: 'enable' },
  legacySsh: false,
  signInSeconds: 90,
};

async function read(files: Readonly<Record<string, string>>): Promise<Credentials> {
  const rack = { dir: '/', logins: new Map([['switches', login]]) };
  return await readCredentials(rack, 'switches', async (ref) => {
    return new Secret(('file' in ref && files[ref.file]) || '');
  });
}

function shown({ password, enablePassword }: Credentials): string {
  return `${password?.reveal()} ${enablePassword?.reveal()}`;
}

describe('readCredentials', () => {
  it('reads one value of each secret', async () => {
    const credentials = await read({ password: 'p', enable: 'e' });

    expect(shown(credentials)).toBe('p e');
    expect(credentials.others).toBeUndefined();
    expect(credentials.signInSeconds).toBe(90);
  });

  it('has other values for devices that reject the first: first those of one age', async () => {
    const credentials = await read({ password: 'p1\np2\np3', enable: 'e1\ne2\ne3\n' });

    expect(shown(credentials)).toBe('p1 e1');
    expect(credentials.others?.map(shown)).toEqual(['p2 e2', 'p3 e3', 'p1 e2']);
    expect(secretsOf(credentials).sort()).toEqual(['e1', 'e2', 'e3', 'p1', 'p2', 'p3']);
  });

  it('takes values of one secret while the other has one', async () => {
    const credentials = await read({ password: 'p1\np2', enable: 'e' });

    expect([credentials, ...(credentials.others ?? [])].map(shown)).toEqual(['p1 e', 'p2 e']);
  });
});

describe('valuesIn', () => {
  const key = (content: string) =>
    `-----BEGIN OPENSSH PRIVATE KEY-----\n${content}\n-----END OPENSSH PRIVATE KEY-----\n`;

  it.each([
    ['a', ['a']],
    ['a\n', ['a\n']],
    ['a\nb', ['a', 'b']],
    ['a\r\n\r\nb\n', ['a', 'b']],
    [key('one'), [key('one')]],
    [`${key('one')}${key('two')}`, [key('one'), key('two')]],
    ['PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\n', undefined],
  ])('of %j', (text, expected) => {
    expect(valuesIn(new Secret(text)).map((value) => value.reveal())).toEqual(expected ?? [text]);
  });
});
