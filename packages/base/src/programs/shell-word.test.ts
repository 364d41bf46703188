import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { shellWord } from './shell-word.ts';

it.each(['.skolo/demo/rack.yaml', '/srv/my demo', "/srv/ann's $HOME/`id`", '', 'a\nb', '~'])(
  'the shell takes it for one word: %j',
  (path) => {
    const words = execFileSync('sh', ['-c', `printf '%s|' ${shellWord(path)}`], {
      encoding: 'utf8',
    });

    expect(words).toBe(`${path}|`);
  },
);

it('a plain path stays as it is', () => {
  expect(shellWord('.skolo/demo/rack.yaml')).toBe('.skolo/demo/rack.yaml');
});
