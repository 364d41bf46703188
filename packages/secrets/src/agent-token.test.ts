import { describe, expect, it } from 'vitest';
import { agentToken, agentTokenDigest } from './agent-token.ts';

describe('agentToken', () => {
  it('is the HMAC of the machine under the token of the login', () => {
    // printf %s skolo-agent:rpi-1 | openssl dgst -sha256 -hmac 'of the login' -binary | basenc --base64url
    expect(agentToken('of the login', 'rpi-1')).toBe('Rx-Qt5HPsYcS-vAL6o_ohUN9nUYDcuP2WwwNKNlR-1E');
  });

  it('is another one for each machine and each login', () => {
    const tokens = [
      agentToken('of the login', 'rpi-1'),
      agentToken('of the login', 'rpi-2'),
      agentToken('of another', 'rpi-1'),
    ];

    expect(new Set(tokens).size).toBe(3);
  });

  it('does not mind how the file of the secret ends', () => {
    expect(agentToken('of the login\r\n', 'rpi-1')).toBe(agentToken('of the login', 'rpi-1'));
  });
});

describe('agentTokenDigest', () => {
  it('is what sha256sum says', () => {
    // printf %s abc | sha256sum
    expect(agentTokenDigest('abc')).toBe(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    );
  });
});
