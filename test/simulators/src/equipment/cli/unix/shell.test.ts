import { describe, expect, it } from 'vitest';
import { OutletBoard } from '../../device.ts';
import { Core, Session } from '../core.ts';
import { Terminal } from '../terminal.ts';
import type { UnixBox } from './box.ts';
import { unixExec } from './shell.ts';

const written: [string, string][] = [];
const box: UnixBox = {
  motd: '',
  prompt: '# ',
  programs: {
    show: ({ args, env, stdin }) => ({
      stdout: `${JSON.stringify({ args, name: env.NAME, stdin })}\n`,
    }),
    fail: () => ({ stdout: 'out\n', stderr: 'err\n', status: 3 }),
  },
  files: {
    list: () => ['/proc/a1', '/proc/a2', '/proc/b1', '/proc/a10'],
    read: (path) => (/^\/proc\/[ab]\d+$/.test(path) ? `${path.slice(6)}\n` : undefined),
    write: (path, text) => path === '/proc/a1' && written.push([path, text]) > 0,
  },
};

async function run(command: string) {
  const result = { stdout: '', stderr: '' };
  const terminal = new Terminal(
    {
      send: (data, stream) => {
        result[stream ?? 'stdout'] += data;
      },
      hangUp: () => {},
      drop: () => {},
    },
    new Session(new Core({ board: new OutletBoard([]) })),
    { width: 0, overflow: 'wrap', interactive: false, newline: '\n' },
  );
  const status = await unixExec(terminal, command, box);
  return { ...result, status };
}

describe('a shell', () => {
  it.each([
    ['echo a  "b  c" \'d $NAME\' e\\ f', 'a b  c d $NAME e f\n', 0],
    ['echo -n a', 'a', 0],
    ['NAME=x show', '{"args":[],"name":"x"}\n', 0],
    ['NAME=x; show "$NAME"', '{"args":["x"],"name":"x"}\n', 0],
    ['export NAME=y; show', '{"args":[],"name":"y"}\n', 0],
    [`show '{"port":"lan3"}' "\\"q\\""`, '{"args":["{\\"port\\":\\"lan3\\"}","\\"q\\""]}\n', 0],
    ['echo a | show b', '{"args":["b"],"stdin":"a\\n"}\n', 0],
    ['(echo a; echo b) | cat', 'a\nb\n', 0],
    ['fail && echo no', 'out\n', 3],
    ['fail || echo yes', 'out\nyes\n', 0],
    ['fail; echo $?', 'out\n3\n', 0],
    ['true && exit 4; echo no', '', 4],
    ['cat /proc/a*', 'a1\na10\na2\n', 0],
    ['cat "/proc/a*"', '', 1],
    ['grep . /proc/a1 /proc/b1', '/proc/a1:a1\n/proc/b1:b1\n', 0],
    ['wc -c /proc/a10', '4 /proc/a10\n', 0],
    ['echo abc | wc -c', '4\n', 0],
    ['md5sum /proc/a1', '763950971c8c6d8df8a87a1e752799a9  /proc/a1\n', 0],
    ['rm /proc/zz; rm -f /proc/zz', '', 0],
    ['fail 2>&1', 'out\nerr\n', 3],
    ['fail 2>&1 > /dev/null', 'err\n', 3],
    ['fail > /dev/null 2>&1 # comment', '', 3],
    ['nonsense', '', 127],
  ])('carries out %s', async (command, stdout, status) => {
    const result = await run(command);

    expect(result.stdout).toBe(stdout);
    expect(result.status).toBe(status);
  });

  it('writes files, and says which it cannot', async () => {
    const good = await run('echo 0 > /proc/a1');
    const bad = await run('echo 0 >/proc/c1');

    expect(written).toEqual([['/proc/a1', '0\n']]);
    expect(good).toEqual({ stdout: '', stderr: '', status: 0 });
    expect(bad.stderr).toContain("can't create /proc/c1");
    expect(bad.status).toBe(1);
  });

  it('writes to the end of a file', async () => {
    written.length = 0;

    await run('echo 0 >> /proc/a1');

    expect(written).toEqual([['/proc/a1', 'a1\n0\n']]);
  });

  it.each(['echo `date`', 'a &', '(echo', 'echo )', '| cat', "echo 'open"])(
    'rejects %s',
    async (command) => {
      const { stderr, status } = await run(command);

      expect(stderr).toContain('syntax error');
      expect(status).toBe(2);
    },
  );
});
