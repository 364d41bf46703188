import { describe, expect, it } from 'vitest';
import { folderTrouble } from './folder-trouble.ts';

function systemError(code: string) {
  return Object.assign(new Error(`${code}: the message of Node`), { code, path: '/srv/demo/lock' });
}

describe('folderTrouble', () => {
  it.each([
    ['EACCES', 'this user may not use it. Was it made with sudo? Then: sudo chown -R'],
    ['EROFS', 'the file system is read-only. Give another folder'],
    ['ENOSPC', 'the disk is full. Make room'],
  ])('explains %s', (code, text) => {
    expect(folderTrouble(systemError(code), '/srv/demo')).toMatch(/^\/srv\/demo\/lock: /);
    expect(folderTrouble(systemError(code), '/srv/demo')).toContain(text);
  });

  it('names the folder in what is to be pasted', () => {
    expect(folderTrouble(systemError('EACCES'), '/srv/my demo')).toContain(`'/srv/my demo'`);
  });

  it.each([
    [new Error('a bug')],
    [systemError('EADDRINUSE')],
    [Object.assign(new Error('no path'), { code: 'EACCES' })],
    ['a text'],
  ])('does not explain away %s', (error) => {
    expect(folderTrouble(error, '/srv/demo')).toBeUndefined();
  });
});
