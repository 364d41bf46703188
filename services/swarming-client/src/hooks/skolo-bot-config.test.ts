/** The script that the bot runs, in each Python that is there, against the hooks that this package serves. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { listen, tempDir } from '@skolo/base/testing';
import { lacks } from '@skolo/simulators/peer';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { python, pythons } from '../bot/testing/python.ts';
import { phone, recordedHooks, viewWith } from './testing/views.ts';

const script = fileURLToPath(new URL('../../python/skolo_bot_config.py', import.meta.url));
const harness = fileURLToPath(new URL('testing/call_hooks.py', import.meta.url));

const Output = z.object({
  time: z.number(),
  came_of: z.array(
    z.object({
      hook: z.string(),
      returned: z.unknown().optional(),
      raised: z.string().optional(),
    }),
  ),
});

async function listenTo(listener: RequestListener): Promise<string> {
  return `http://127.0.0.1:${await listen(createServer(listener))}`;
}

async function startAgent() {
  const { create, ...told } = recordedHooks(() => viewWith({ devices: [phone()] }));
  return { url: `http://127.0.0.1:${await listen(create())}`, ...told };
}

async function output(file: string, args: string[], env: NodeJS.ProcessEnv, input = '') {
  const child = spawn(file, args, { env: { PATH: process.env.PATH, ...env } });
  const text = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (piece: string) => {
      text[name] += piece;
    });
  }
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const [status] = await once(child, 'close');
  if (status !== 0) throw new Error(`${file} ends with ${status}: ${text.stderr}`);
  return text;
}

type Call = [hook: string, ...args: unknown[]];

async function callHooks(
  calls: readonly Call[],
  {
    program = python ?? '',
    env = {},
    ...rest
  }: { program?: string; set?: object; os_utilities?: object; env?: NodeJS.ProcessEnv } = {},
) {
  const bot = { id: 'rpi-1', dimensions: { id: ['rpi-1'], pool: ['Skia'] }, state: { disks: {} } };
  const asked = JSON.stringify({ script, bot, calls, ...rest });
  // Were one of them asked, nothing would be answered.
  const proxies = { http_proxy: 'http://127.0.0.1:1', all_proxy: 'http://127.0.0.1:1' };
  const { stdout, stderr } = await output(program, [harness], { ...proxies, ...env }, asked);
  return { ...Output.parse(JSON.parse(stdout)), stderr };
}

async function configOf(url: string, headers: object = { 'Metadata-Flavor': 'Google' }) {
  const path = join(await tempDir(), 'oauth.json');
  await writeFile(path, JSON.stringify({ url, headers }));
  return path;
}

describe('skolo_bot_config.py', () => {
  it.for([...new Set([python, ...pythons])])(
    'forwards every hook, in %s',
    async (python, { skip }) => {
      if (python === undefined) return skip('Python 3 is not installed');
      const { url, calls, errors } = await startAgent();
      const asked: unknown[] = [];
      const metadata = await listenTo((request, response) => {
        asked.push(request.url, request.headers['metadata-flavor']);
        response.end('{"access_token":"ya29.abc","expires_in":3000,"token_type":"Bearer"}');
      });
      const botFile = join(await tempDir(), 'bot_file.json');
      await writeFile(botFile, '{"task_id":"5f1e2d3c4b5a6911"}');

      const { came_of, time, stderr } = await callHooks(
        [
          [
            'env',
            { SKOLO_HOOK_URL: url, SKOLO_OAUTH_CONFIG: await configOf(`${metadata}/token?a=b`) },
          ],
          ['setup_bot'],
          ['get_dimensions'],
          ['get_state'],
          ['get_settings'],
          ['get_authentication_headers'],
          ['on_bot_startup'],
          ['on_handshake'],
          ['on_before_poll'],
          ['on_after_poll', 'run'],
          ['on_before_task', botFile, ['python3'], { SWARMING_TASK_ID: '5f1e2d3c4b5a6910' }],
          ['on_after_task', false, false, { pool: 'Skia' }, { exit_code: 0 }],
          ['on_before_task', botFile, ['python3'], {}],
          ['on_before_task', '/nowhere', null, null],
          ['on_bot_idle', 12.5],
          ['on_bot_shutdown'],
          ['env', { SKOLO_HOOK_URL: 'http://127.0.0.1:1' }],
          ['get_dimensions'],
          ['get_state'],
          ['get_settings'],
          ['setup_bot'],
          ['on_before_task'],
        ],
        {
          program: python,
          os_utilities: {
            dimensions: { id: ['rpi-1'], python: ['3'] },
            state: { running_time: 3 },
          },
        },
      );

      expect(calls).toEqual([
        'setup_bot true',
        'get_dimensions true',
        'get_state true',
        'get_settings true',
        'on_bot_startup true',
        'on_handshake true',
        'on_before_poll true',
        'on_after_poll true',
        'before 5f1e2d3c4b5a6910',
        'on_before_task true',
        'after, succeeded',
        'on_after_task true',
        'before 5f1e2d3c4b5a6911',
        'on_before_task true',
        'before undefined',
        'on_before_task true',
        'on_bot_idle true',
        'on_bot_shutdown true',
      ]);
      expect(errors).toEqual([]);
      const by = (hook: string, nth = 0) => came_of.filter((one) => one.hook === hook)[nth];
      expect(by('get_dimensions')?.returned).toMatchObject({
        id: ['rpi-1'],
        python: ['3'],
        device_type: ['walleye'],
      });
      expect(by('get_state')?.returned).toMatchObject({ running_time: 3, sk_rack: 'rack4' });
      expect(by('get_settings')?.returned).toEqual({ caches: { isolated: { size: 8589934592 } } });
      const [headers, expiry] = z
        .tuple([z.unknown(), z.number()])
        .parse(by('get_authentication_headers')?.returned);
      expect(headers).toEqual({ Authorization: 'Bearer ya29.abc' });
      expect(expiry - time).toBeGreaterThan(2900);
      expect(expiry - time).toBeLessThan(3001);
      expect(asked).toEqual(['/token?a=b', 'Google']);
      for (const hook of ['get_dimensions', 'get_state', 'get_settings']) {
        expect(by(hook, 1)?.raised).toMatch(
          /^request to the skolo agent at http:\/\/127\.0\.0\.1:1 failed: .*refused/,
        );
      }
      expect(came_of.filter(({ hook }) => hook === 'setup_bot')).toEqual([
        { hook: 'setup_bot', returned: true },
        { hook: 'setup_bot', returned: true },
      ]);
      expect(came_of.filter(({ hook }) => hook.startsWith('on_'))).not.toContainEqual(
        expect.objectContaining({ raised: expect.anything() }),
      );
      expect(stderr).toContain('skolo agent did not accept on_before_task: ');
    },
  );

  it.skipIf(lacks('python3'))(
    'gives the bot’s own dicts where its code has no os_utilities',
    async () => {
      const { url } = await startAgent();

      const { came_of } = await callHooks([['get_dimensions'], ['get_state']], {
        env: { SKOLO_HOOK_URL: `${url}/` },
      });

      expect(came_of).toMatchObject([
        { returned: { id: ['rpi-1'], pool: ['Skia'] } },
        { returned: { disks: {} } },
      ]);
    },
  );

  it.skipIf(lacks('python3')).for([
    ['no JSON', 200, 'hello', 'did not return JSON: hello'],
    ['no dict', 200, '[]', 'not a dict|without an id'],
    ['a rejection', 503, '{"detail":"not now"}', 'returned status 503: not now'],
    ['a redirect', 302, '', 'returned status 302'],
    ['too much', 200, '"'.padEnd(5_000_000), 'the response is too large'],
  ] as const)('says so where the agent answers %s', async ([_, status, text, why]) => {
    const url = await listenTo((request, response) => {
      // All of it is read first, else the connection is reset when it ends.
      request.resume().once('end', () => {
        response.writeHead(status, { location: 'http://127.0.0.1:1/' }).end(text);
      });
    });

    const { came_of } = await callHooks(
      [['get_dimensions'], ['get_state'], ['get_settings'], ['on_bot_idle', 1]],
      { env: { SKOLO_HOOK_URL: url } },
    );

    for (const { hook, raised } of came_of.filter((one) => one.hook.startsWith('get_'))) {
      expect(`${hook}: ${raised}`).toMatch(new RegExp(`skolo agent .*(${why})`));
    }
    expect(came_of.at(-1)?.raised).toBeUndefined();
  });

  it.skipIf(lacks('python3'))('does not wait for an agent that hangs', async () => {
    const url = await listenTo(() => undefined);

    const { came_of, stderr } = await callHooks([['get_state'], ['on_before_poll']], {
      env: { SKOLO_HOOK_URL: url },
      set: { _GET_SECONDS: 0.1, _ON_SECONDS: 0.1 },
    });

    expect(came_of[0]?.raised).toBe(`request to the skolo agent at ${url} failed: timed out`);
    expect(came_of[1]?.raised).toBeUndefined();
    expect(stderr).toContain('skolo agent did not accept on_before_poll: timed out');
  });

  it.skipIf(lacks('python3'))(
    'reports what is wrong with the token, and never prints it',
    async () => {
      const answers = [
        [404, 'no identity for 192.168.1.9'],
        [200, '{"access_token":"ya29.secret"}'],
        [200, 'ya29.secret'],
      ] as const;
      let next = 0;
      const url = await listenTo((_, response) => {
        const [status, text] = answers[next++] ?? [500, ''];
        response.writeHead(status).end(text);
      });
      const ask: Call = ['get_authentication_headers'];

      const { came_of } = await callHooks([
        ['env', { SKOLO_OAUTH_CONFIG: await configOf(url, {}) }],
        ask,
        ask,
        ask,
        ['env', { SKOLO_OAUTH_CONFIG: '/nowhere/oauth.json' }],
        ask,
      ]);

      expect(came_of.map(({ raised }) => raised)).toEqual([
        `metadata server at ${url} returned status 404: no identity for 192.168.1.9`,
        `metadata server at ${url} did not return a token`,
        `metadata server at ${url} did not return a token`,
        expect.stringMatching(/^\/nowhere\/oauth\.json cannot be used: .*No such file/),
      ]);
    },
  );
});
