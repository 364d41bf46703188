import { describe, expect, it } from 'vitest';
import { ProxyError, proxyFor, setLibraryProxy } from './proxy.ts';

const https_proxy = 'http://proxy.lan:3128';

describe('the proxy of a URL', () => {
  it.each([
    ['https://a.example', { https_proxy }, 'proxy.lan:3128'],
    ['https://a.example', { HTTPS_PROXY: 'proxy.lan:8080' }, 'proxy.lan:8080'],
    ['https://a.example', { https_proxy, HTTPS_PROXY: 'http://other' }, 'proxy.lan:3128'],
    ['https://a.example', { https_proxy: '', HTTPS_PROXY: 'http://other' }, 'other'],
    ['https://a.example', { https_proxy: 'https://proxy.lan' }, 'proxy.lan'],
    ['http://a.example', { https_proxy }, undefined],
    ['http://a.example', { http_proxy: 'http://plain' }, 'plain'],
    ['https://a.example', { http_proxy: 'http://plain' }, undefined],
    ['https://a.example', {}, undefined],
  ])('%s with %o is %s', (url, env, host) => {
    expect(proxyFor(url, env)?.host).toBe(host);
  });

  it.each([
    'http://localhost:8080',
    'https://rack.localhost',
    'https://127.9.9.9',
    'https://2130706433/',
    'https://[::1]:8443',
    'https://[::ffff:127.0.0.1]',
    'http://metadata/computeMetadata/v1',
    'http://metadata.google.internal.',
    'http://169.254.169.254',
    'https://[fe80::1]',
  ])('never exists for %s', (url) => {
    expect(proxyFor(url, { https_proxy, http_proxy: https_proxy })).toBeUndefined();
  });

  it.each([
    ['example.com', 'https://example.com', true],
    ['example.com', 'https://a.b.EXAMPLE.com.', true],
    ['.example.com', 'https://example.com', true],
    ['*.example.com', 'https://a.example.com', true],
    ['Example.COM.', 'https://a.example.com', true],
    ['example.com', 'https://notexample.com', false],
    ['example.com', 'https://example.com.evil', false],
    ['a.lan b.lan', 'https://b.lan', true],
    [' a.lan , b.lan,', 'https://b.lan', true],
    ['*', 'https://example.com', true],
    ['*,x', 'https://10.1.1.1', true],
    ['example.com:8443', 'https://example.com:8443', true],
    ['example.com:8443', 'https://example.com', false],
    ['example.com:443', 'https://example.com', true],
    ['10.1.2.3', 'https://10.1.2.3', true],
    ['10.1.2.3:8443', 'https://10.1.2.3', false],
    ['10.1.0.0/16', 'https://10.1.2.3', true],
    ['10.1.0.0/16', 'https://10.2.2.3', false],
    ['10.1.0.0/33', 'https://10.1.0.0', false],
    ['10.1.0.0/', 'https://10.1.0.0', false],
    ['.3', 'https://10.1.2.3', false],
    ['2001:db8::/32', 'https://[2001:db8::7]', true],
    ['2001:DB8:0::7', 'https://[2001:db8::7]:1', true],
    ['[2001:db8::7]', 'https://[2001:db8::7]', true],
    ['[2001:db8::7]:1', 'https://[2001:db8::7]', false],
    ['10.0.0.0/8', 'https://[2001:db8::7]', false],
    ['.', 'https://example.com', false],
    ['', 'https://example.com', false],
  ])('with no_proxy=%s, %s is direct: %s', (no_proxy, url, isDirect) => {
    expect(proxyFor(url, { https_proxy, no_proxy }) === undefined).toBe(isDirect);
    expect(proxyFor(url, { https_proxy, NO_PROXY: no_proxy }) === undefined).toBe(isDirect);
  });

  it.each(['socks5://u:s3cret@proxy', 'http://', 'u:s3cret@proxy:99999', 'file:///s3cret'])(
    'cannot be %s, which is not quoted',
    (text) => {
      const asked = () => proxyFor('https://example.com', { HTTPS_PROXY: text });

      expect(asked).toThrow(ProxyError);
      expect(asked).toThrow(
        'https_proxy: not the URL of an HTTP proxy; set it to http://HOST:PORT',
      );
    },
  );
});

it('tells libraries with other rules the same', () => {
  const env: NodeJS.ProcessEnv = { HTTPS_PROXY: 'proxy.lan:1', NO_PROXY: '10.0.0.0/8' };

  setLibraryProxy('https://pubsub.googleapis.com', env);
  setLibraryProxy('https://10.0.0.9:8443', env);
  setLibraryProxy('https://10.0.0.9:8443', env);

  expect(env).toEqual({
    https_proxy: 'http://proxy.lan:1/',
    HTTPS_PROXY: 'http://proxy.lan:1/',
    no_proxy: expect.stringMatching(/^10\.0\.0\.0\/8,localhost,.*,metadata,[^,]*,10\.0\.0\.9$/),
    NO_PROXY: env.no_proxy,
  });
});
