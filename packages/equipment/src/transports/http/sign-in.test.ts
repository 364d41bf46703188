import { Secret } from '@skolo/base/secrets';
import { describe, expect, it } from 'vitest';
import { answerTo, basicHeader } from './sign-in.ts';

const request = { method: 'GET', path: '/dir/index.html' };
const rfc7616 = `realm="http-auth@example.org", qop="auth, auth-int", algorithm=ALGORITHM, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"`;
const rfc2617 = `realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"`;

function mufasa(password: string) {
  return { legacySsh: false, username: 'Mufasa', password: new Secret(password) };
}

describe('signing in over HTTP', () => {
  it.each([
    ['MD5', '8ca523f5e9506fed4657c9700eebdbec'],
    ['SHA-256', '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1'],
  ])('answers the example of RFC 7616 with %s', (algorithm, response) => {
    const challenge = `Digest ${rfc7616.replace('ALGORITHM', algorithm)}`;
    const cnonce = 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ';

    const header = answerTo(challenge, request, mufasa('Circle of Life'), cnonce);

    expect(header).toContain(`response="${response}"`);
    expect(header).toContain(`algorithm=${algorithm}`);
    expect(header).toContain('opaque="FQhe/');
  });

  it('answers the example of RFC 2617, which names no algorithm', () => {
    const challenge = `Digest ${rfc2617}, qop="auth,auth-int"`;

    const header = answerTo(challenge, request, mufasa('Circle Of Life'), '0a4f113b');

    expect(header).toContain('response="6629fae49393a05397450978507c4ef1"');
    expect(header).not.toContain('algorithm');
  });

  it('answers the example of RFC 2069 (as corrected), which knows no qop', () => {
    const header = answerTo(`Digest ${rfc2617}`, request, mufasa('CircleOfLife'));

    expect(header).toContain('response="1949323746fe6a43ef61f9606e7febea"');
    expect(header).not.toContain('qop');
  });

  it('prefers digest to Basic, and SHA-256 to MD5, whatever comes first', () => {
    const both = `Basic realm="a, b", Digest ${rfc2617}, qop="auth", Digest ${rfc2617}, qop="auth", algorithm=SHA-256`;

    expect(answerTo(both, request, mufasa('x'))).toMatch(/^Digest .*algorithm=SHA-256/);
    expect(answerTo('Basic realm="a"', request, mufasa('x'))).toBe('Basic TXVmYXNhOng=');
  });

  it.each([
    '',
    'Negotiate',
    `Digest ${rfc2617}, algorithm=SHA-512-256`,
    `Digest ${rfc2617}, qop="auth-int"`,
  ])('knows no answer to %j', (challenge) => {
    expect(answerTo(challenge, request, mufasa('x'))).toBeUndefined();
  });

  it.each([
    ['a scheme without parameters', `Negotiate, Basic`, /^Basic /],
    ['blanks around signs', `Digest  realm = "a" ,nonce= "b c"`, /realm="a", nonce="b c"/],
    ['a string that is not closed', `Digest ${rfc2617}, opaque="a, Basic`, /opaque="a, Basic"$/],
    ['quoted signs', String.raw`Digest realm="a\"b\\", nonce="c"`, /realm="a\\"b\\\\", nonce="c"/],
    ['words without quotes', 'Digest realm=My Switch, nonce=AAAA==', /realm="My", nonce="AAAA=="/],
    ['a scheme in a string', `Digest realm="a, Basic realm=b", nonce="c"`, /^Digest /],
    ['another scheme behind it', `Digest ${rfc2617}, NTLM`, /^Digest .*nonce="dcd98/],
  ])('reads %s', (_what, challenge, answer) => {
    expect(answerTo(challenge, request, mufasa('x'))).toMatch(answer);
  });

  it('sends nothing where the login has nothing', () => {
    expect(basicHeader({ legacySsh: false })).toBeUndefined();
    expect(basicHeader({ legacySsh: false, username: 'admin' })).toBe('Basic YWRtaW46');
  });
});
