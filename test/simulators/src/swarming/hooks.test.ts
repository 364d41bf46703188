import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, type TestContext } from 'vitest';
import type { SwarmingOptions } from './server.ts';
import { start, startBot, started } from './testing.ts';

const writesDown = `
import os
def tell(bot, *args):
    with open(os.path.join(bot.base_dir, 'logs', 'hooks.txt'), 'a') as output:
        output.write(' '.join(args) + '\\n')
def on_bot_startup(bot): tell(bot, 'on_bot_startup')
def on_handshake(bot): tell(bot, 'on_handshake')
def on_before_poll(bot): tell(bot, 'on_before_poll')
def on_after_poll(bot, cmd): tell(bot, 'on_after_poll', cmd)
def on_bot_idle(bot, since_last_action): tell(bot, 'on_bot_idle')
def on_before_task(bot, bot_file, runner_cmd, runner_env):
    tell(bot, 'on_before_task', os.path.basename(bot_file))
    runner_env['ADDED'] = 'by the hook'
def on_after_task(bot, failure, internal_failure, task_dimensions, summary):
    tell(bot, 'on_after_task', str(failure), str(internal_failure), str(summary['exit_code']))
def on_bot_shutdown(bot): tell(bot, 'on_bot_shutdown')
`;

describe('hooks', () => {
  it('are called in their order, with their arguments', async (context) => {
    const { server, bot, folder } = await started(context, { hookScript: writesDown });
    const python = 'import os; print(os.environ["ADDED"]); exit(3)';
    const id = server.addTask({ python });
    await expect.poll(() => server.task(id)).toMatchObject({ state: 'completed', exitCode: 3 });
    bot.kill('SIGTERM');
    await bot.exit;

    expect(server.task(id).output).toBe('by the hook\n');
    const told = linesOf(join(folder, 'logs', 'hooks.txt'));
    const first = ['on_bot_startup', 'on_handshake', 'on_before_poll'];
    expect(told.slice(0, 3)).toEqual(first);
    expect(told).toContain('on_bot_idle');
    const run = told.indexOf('on_after_poll run');
    expect(told.slice(run + 1, run + 3)).toEqual([
      'on_before_task bot.json',
      'on_after_task True False 3',
    ]);
    expect(told.at(-1)).toBe('on_bot_shutdown');
  });

  it('of the group come after the handshake, and a change of them makes it begin anew', async (context) => {
    const injectedScript = 'def get_state(bot): return {"from": "the group"}';
    const { server } = await started(context, { injectedScript });
    await expect.poll(() => server.bot('bot-1').state.from).toBe('the group');

    server.inject('def get_state(bot): return {"from": "another"}');

    await expect.poll(() => server.bot('bot-1').state.from).toBe('another');
    expect(server.bot('bot-1').handshakes).toBe(2);
  });

  it.for([
    ['get_state', 'raise ValueError("no agent")', 'no agent'],
    ['get_dimensions', 'raise ValueError("no agent")', 'no agent'],
    ['get_dimensions', 'return {"os": ["Linux"]}', 'id must be'],
    ['get_dimensions', 'return {"id": [bot.id], "n": [1]}', 'a value of n is not text'],
    ['get_dimensions', 'return {"id": [bot.id], "n": "text"}', 'value of n is not a list'],
    ['get_state', 'return ["a list"]', 'expected a dict'],
    [
      'get_state',
      'return {"disks": {"/": {"free_mb": 1.0, "size_mb": 1000.0}}}',
      'free disk space',
    ],
  ] as const)('%s: %s is quarantine, and no task', async ([hook, body, reason], context) => {
    const { server } = await started(context, { hookScript: `def ${hook}(bot): ${body}` });
    const id = server.addTask({ python: '' });

    await expect.poll(() => server.bot('bot-1').polls).toBeGreaterThan(2);

    expect(server.bot('bot-1').quarantined).toContain(reason);
    expect(server.task(id).state).toBe('pending');
    expect(server.bot('bot-1').dimensions).toMatchObject({ id: ['bot-1'] });
  });

  it.for([
    ['{"quarantined": "a reason"}', { quarantined: 'a reason' }],
    ['{"quarantined": "false"}', { quarantined: 'false' }],
    ['{"maintenance": "a reason"}', { maintenance: 'a reason' }],
  ] as const)('state %s keeps tasks away', async ([state, health], context) => {
    const { server, id } = await withState(context, state);

    await expect.poll(() => server.bot('bot-1').polls).toBeGreaterThan(2);

    expect(server.bot('bot-1')).toMatchObject(health);
    expect(server.task(id).state).toBe('pending');
  });

  it('maintenance that is no text is none', async (context) => {
    const { server, id } = await withState(context, '{"maintenance": True}');

    await expect.poll(() => server.task(id).state).toBe('completed');
  });

  it('an on_ hook that throws is an event; the task runs all the same', async (context) => {
    const hookScript = 'def on_before_task(*args): raise ValueError("not now")';
    const { server } = await started(context, { hookScript });
    const id = server.addTask({ python: '' });

    await expect.poll(() => server.task(id).state).toBe('completed');

    const { event, message } = server.bot('bot-1').events[0] ?? {};
    expect(event).toBe('bot_error');
    expect(message).toContain('not now');
  });

  it('of the group are never asked for the authentication that the general one has turned off', async (context) => {
    const { server } = await started(context, {
      hookScript: 'def get_authentication_headers(bot): return None, None',
      injectedScript:
        'def get_authentication_headers(bot): return {"Authorization": "Bearer group"}, 0\ndef get_state(bot): return {"from": "the group"}',
    });

    await expect.poll(() => server.bot('bot-1').state.from).toBe('the group');
    await expect.poll(() => server.bot('bot-1').polls).toBeGreaterThan(2);

    const asked = server.calls.filter(({ endpoint }) => ['handshake', 'poll'].includes(endpoint));
    expect(asked.map(({ token }) => token)).toEqual(asked.map(() => undefined));
  });

  it('gives its token with each request', async (context) => {
    const hookScript =
      'import time\ndef get_authentication_headers(bot): return {"Authorization": "Bearer t1"}, time.time() + 3600';
    const seen = new Set<string | undefined>();
    const accepts: SwarmingOptions['accepts'] = (token) => seen.add(token) && token !== undefined;

    const { server } = await started(context, { hookScript, accepts });

    expect(server.bot('bot-1').polls).toBeGreaterThan(0);
    expect(seen).toEqual(new Set(['downloader', 't1']));
  });

  it('is unhealthy in the home folder', async (context) => {
    const { server, folder } = await start(context);

    startBot(context, folder, { env: { HOME: folder } });

    await expect.poll(() => server.bots.get('bot-1')?.polls).toBeGreaterThan(0);
    expect(server.bot('bot-1').quarantined).toContain('home directory');
  });
});

async function withState(context: TestContext, state: string) {
  const hookScript = `def get_state(bot): return ${state}`;
  const { server } = await started(context, { hookScript });
  return { server, id: server.addTask({ python: '' }) };
}

function linesOf(file: string): string[] {
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
}
