import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, type TestContext } from 'vitest';
import { lacks } from '../peer.ts';
import { buildBotZip } from './bot-zip.ts';
import { botHealthOf, malformed } from './dimensions.ts';
import { type SwarmingOptions, startSwarming } from './server.ts';
import { python } from './testing.ts';

const asBot = { 'x-luci-swarming-bot-id': 'bot-1', authorization: 'Bearer good' };
const zipPath = '/swarming/api/v1/bot/bot_code/';

async function start(context: TestContext, options: SwarmingOptions = {}) {
  const server = await startSwarming(options);
  context.onTestFinished(() => server.close());
  const get = (path: string, headers: Record<string, string> = asBot) =>
    fetch(`${server.url}${path}`, { headers, redirect: 'manual' });
  return { server, get };
}

describe('the zip', () => {
  it('is the same each time, and what Python reads', (context) => {
    const why = lacks('python3');
    if (python === undefined || why) return context.skip(why);
    const options = { server: 'http://127.0.0.1:1', serverVersion: '1', padding: 100_000 };
    const { bytes, version } = buildBotZip(options);
    const folder = mkdtempSync(join(tmpdir(), 'swarming-'));
    context.onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'swarming_bot.zip');
    writeFileSync(file, bytes);

    execFileSync(python, ['-m', 'zipfile', '-t', file]);
    const said = execFileSync(python, [file, 'version'], { encoding: 'utf8' });

    expect(said).toBe(`${version}\n`);
    expect(buildBotZip(options).bytes.equals(bytes)).toBe(true);
    expect(buildBotZip({ ...options, serverVersion: '2' }).version).not.toBe(version);
  });
});

describe('the download', () => {
  it('redirects to the version, which needs no credential', async (context) => {
    const { server, get } = await start(context, { accepts: (token) => token === 'good' });

    const first = await get('/bot_code');
    const location = first.headers.get('location') ?? '';
    const second = await get(location, {});

    expect(first.status).toBe(302);
    expect(location).toBe(`${zipPath}${server.version}`);
    expect(second.headers.get('content-type')).toBe('application/octet-stream');
    expect((await second.arrayBuffer()).byteLength).toBe(
      Number(second.headers.get('content-length')),
    );
    expect(server.downloads).toBe(1);
  });

  it.for([
    ['no credential', {}],
    ['no name of a bot', { authorization: 'Bearer good' }],
    ['a bad token', { ...asBot, authorization: 'Bearer bad' }],
  ] as const)('%s is rejected', async ([, headers], context) => {
    const { get } = await start(context, { accepts: (token) => token === 'good' });

    expect((await get('/bot_code', headers)).status).toBe(403);
    expect((await get(`${zipPath}unknown`, headers)).status).toBe(403);
  });

  it('a version that is not known is redirected to the stable one', async (context) => {
    const { server, get } = await start(context);

    const answer = await get(`${zipPath}unknown`);

    expect(answer.headers.get('location')).toBe(`${zipPath}${server.version}`);
  });
});

describe('the verdict', () => {
  it.for([
    [{ id: ['a'] }, 0],
    [{ '1id': ['a'] }, 1],
    [{ ['k'.repeat(65)]: ['a'] }, 1],
    [{ id: [] }, 1],
    [{ id: ['a', 'a'] }, 1],
    [{ id: [''] }, 1],
    [{ id: [' a'] }, 1],
    [{ id: ['v'.repeat(257)] }, 1],
    [{ id: 'a' }, 1],
    ['text', 1],
  ] as const)('dimensions %j have %i errors', ([dimensions, count]) => {
    expect(malformed(dimensions)).toHaveLength(count);
  });

  it.for([
    [{}, {}, {}],
    [{ quarantined: true }, {}, { quarantined: 'Bot self-quarantined' }],
    [{ quarantined: 'false' }, {}, { quarantined: 'false' }],
    [{ quarantined: 0 }, {}, {}],
    [{ quarantined: [] }, {}, {}],
    [{ quarantined: {} }, {}, { quarantined: 'Bot self-quarantined' }],
    [{}, { quarantined: ['1'] }, { quarantined: 'Bot self-quarantined' }],
    [{}, { quarantined: ['false'] }, { quarantined: 'false' }],
    [{ maintenance: 'so' }, {}, { maintenance: 'so' }],
    [{ maintenance: true }, {}, {}],
    [{ maintenance: 1 }, {}, {}],
  ] as const)('state %j with dimensions %j is %j', ([state, dimensions, health]) => {
    expect(botHealthOf(state, dimensions)).toEqual(health);
  });
});
