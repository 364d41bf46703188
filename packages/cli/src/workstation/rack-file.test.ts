import { globSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tempDir } from '@skolo/base/testing';
import { createTokens, startPowerCycleDaemon } from '@skolo/scripted-services';
import { expect, it, onTestFinished } from 'vitest';
import { runCommand } from '../testing/run-command.ts';

async function editedRack() {
  const tokens = await createTokens();
  const power = await startPowerCycleDaemon({ tokens });
  onTestFinished(async () => {
    await power.close();
    await tokens.remove();
  });
  const dir = await tempDir();
  const file = join(dir, 'rack.yaml');
  const token = join(dir, 'token');
  await writeFile(token, tokens.admin, { mode: 0o600 });
  const valid = `rack: rack4
jumphost: { name: jumphost, address: 127.0.0.1 }
services:
  power-cycle-daemon: { url: "${power.url}" }
  alert-to-pubsub: { credentials: { keyFile: missing/key.json } }
`;
  const save = (text: string) => writeFile(file, text);
  await save(valid);
  function run(line: string, env = { XDG_STATE_HOME: dir }) {
    const signIn = line.includes('--from') ? [] : ['--token-file', token];
    return runCommand([...line.split(' '), '--rack', file, ...signIn], undefined, env);
  }
  return { dir, file, valid, save, run, power };
}

it.each([
  ['an unknown key', (valid: string) => `${valid}colour: red\n`, /^\S+rack\.yaml:6:1 colour:/m],
  ['invalid YAML', (valid: string) => `${valid}x: [\n`, /^\S+rack\.yaml:\d+:\d+ /m],
  ['no URL', () => 'rack: rack4\n', /jumphost/],
  ['nothing', () => '', /rack\.yaml/],
])(
  'a command names an error (%s), and asks the services of the last valid version',
  async (_, edit, error) => {
    const { dir, file, valid, save, run } = await editedRack();
    const good = await run('power status');
    await save(edit(valid));

    const status = await run('power status');
    const check = await run('check rack');

    expect(status).toMatchObject({ out: good.out, exitCode: good.exitCode });
    expect(good.exitCode).toBe(0);
    const { err } = status;
    expect(err).toMatch(error);
    expect(err).toContain(`continuing with the last valid version of ${file}, ${dir}/skolo/racks/`);
    expect(err.split('continuing')).toHaveLength(2);
    expect(check.exitCode).toBe(78);
  },
);

it.each([
  ['alerts tail', /missing\/key\.json: no such file/],
  ['backup list router --from /nowhere', /\/nowhere/],
])('%s does not need the current version either', async (line, error) => {
  const { valid, save, run } = await editedRack();
  await run('power status');
  await save(`${valid}colour: red\n`);

  const { err, exitCode } = await run(line);

  expect(err).toMatch(/colour.*continuing with the last valid version/s);
  expect(err).toMatch(error);
  expect(exitCode).toBe(1);
});

it('a kept version that is not valid does not hide the error', async () => {
  const { dir, valid, save, run } = await editedRack();
  await run('power status');
  const [kept = ''] = globSync(join(dir, 'skolo/racks/*/*'));
  await writeFile(kept, 'rack: rack4\ncolour: red\n');
  await save(`${valid}size: 3\n`);

  const { err, exitCode } = await run('power status');

  expect(err).toMatch(/^\S+rack\.yaml:6:1 size: unknown key "size"\S*$/m);
  expect(err).not.toContain('colour');
  expect(exitCode).toBe(78);
});

it('without a valid version, or somewhere to keep it, a command only names the error', async () => {
  const { valid, save, run } = await editedRack();
  const env = { XDG_STATE_HOME: '/dev/null' };
  expect(await run('power status', env)).toMatchObject({ exitCode: 0, err: '' });
  await save(`${valid}colour: red\n`);

  expect(await run('power status', env)).toMatchObject({
    exitCode: 78,
    err: expect.not.stringContaining('continuing'),
  });
});
