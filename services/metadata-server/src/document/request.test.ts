import { runs } from '@skolo/base/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseUrl } from './request.ts';

const v1 = '/computeMetadata/v1';
const token = `${v1}/instance/service-accounts/default/token`;

describe('the path', () => {
  it('collapses double slashes', () => {
    expect(parseUrl(`${v1}//project///project-id`)).toMatchObject({
      path: `${v1}/project/project-id`,
      segments: ['computeMetadata', 'v1', 'project', 'project-id'],
      trailingSlash: false,
    });
  });

  it('is taken out of an absolute URL, as proxies send it', () => {
    expect(parseUrl(`http://metadata.google.internal.${v1}/`).path).toBe(`${v1}/`);
  });

  it('may be escaped', () => {
    expect(parseUrl(`${v1}/a%40b.c/x%2Fy`).segments).toEqual([
      'computeMetadata',
      'v1',
      'a@b.c',
      'x/y',
    ]);
  });

  it('stays as it is where an escape is broken', () => {
    expect(parseUrl('/%E0%A4%A').segments).toEqual(['%E0%A4%A']);
  });
});

it.each([
  ['true', true],
  ['True', true],
  ['1', true],
  ['yes', true],
  ['xyz', false],
  ['', false],
  ['false', false],
])('recursive=%s is %s', (value, recursive) => {
  expect(parseUrl(`${v1}/?recursive=${value}`).recursive).toBe(recursive);
});

it.each([
  ['', undefined],
  ['&timeout_sec=', undefined],
  ['&timeout_sec=60', 60],
  ['&timeout_sec=0', 0],
  ['&timeout_sec=1.5', 'invalid'],
  ['&timeout_sec=-1', 'invalid'],
  ['&timeout_sec=soon', 'invalid'],
])('time-out of wait_for_change=true%s is %s', (query, timeoutSeconds) => {
  expect(parseUrl(`${v1}/?wait_for_change=true${query}`).timeoutSeconds).toBe(timeoutSeconds);
});

it('splits scopes, trimmed, without blanks and repetitions', () => {
  expect(parseUrl(`${token}?scopes=a,b,%20a%20,,c%20d`).scopes).toEqual(['a', 'b', 'c', 'd']);
});

it.each([
  ['/', 'root'],
  ['/computeMetadata/', 'root'],
  [v1, 'root'],
  [token, 'token'],
  [`${v1}/instance/service-accounts/a@b/identity?audience=x`, 'identity'],
  [`${v1}/instance/service-accounts/`, 'service-accounts'],
  [`${v1}/instance/attributes/x`, 'attributes'],
  [`${v1}/project/attributes/`, 'attributes'],
  [`${v1}/instance/id`, 'instance'],
  [`${v1}/project/project-id`, 'project'],
  [`${v1}/universe/universe-domain`, 'universe'],
  [`${v1}/else`, 'other'],
  ['/computeMetadata/v1beta1/instance/id', 'other'],
  ['/0.1/meta-data/service-accounts/default/acquire', 'other'],
])('%s counts as %s', (url, pathClass) => {
  expect(parseUrl(url).pathClass).toBe(pathClass);
});

it('never throws, whatever the URL', () => {
  fc.assert(
    fc.property(fc.string(), (url) => {
      parseUrl(url);
      parseUrl(`${v1}/${url}`);
    }),
    runs(500),
  );
});
