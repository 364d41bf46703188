import { describe, expect, it } from 'vitest';
import { browserGetProblem, browserProblem } from './browser-check.ts';

describe('a request of a browser', () => {
  it.each([
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { 'sec-purpose': 'prefetch' },
    { 'sec-purpose': 'prefetch;prerender' },
    { purpose: 'prefetch' },
    { 'x-moz': 'prefetch' },
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { referer: 'https://evil.example/' },
  ])('is rejected for %j', (headers) => {
    const [name] = Object.keys(headers);

    expect(browserProblem({ headers })).toContain(`header ${name}`);
    expect(browserGetProblem({ headers })).toContain(`header ${name}`);
  });

  it('is rejected by its name where a GET changes something', () => {
    const headers = { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0.0.0' };

    expect(browserGetProblem({ headers })).toContain('header user-agent');
    expect(browserProblem({ headers })).toBeUndefined();
  });
});

it.each(['curl/7.88.1', 'python-requests/2.28.1', 'Wget/1.21', undefined])(
  'a program that calls itself %s is let in',
  (name) => {
    const headers = { host: 'jumphost', accept: '*/*', ...(name && { 'user-agent': name }) };

    expect(browserProblem({ headers })).toBeUndefined();
    expect(browserGetProblem({ headers })).toBeUndefined();
  },
);
