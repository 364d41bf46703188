/** Off-site copies, of which some were not made by the rack, as a person reads them. */
import { chmod, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { newNonce, pack, Repository } from '@skolo/backup';
import { Secret } from '@skolo/base/secrets';
import { tempDir } from '@skolo/base/testing';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { describe, expect, it } from 'vitest';
import { runCommand } from '../../testing/run-command.ts';

const backupKey = 'of the rack '.repeat(3);
const switchName = 'switch-1';

interface CopyOptions {
  key?: string | undefined;
  isPlain?: boolean;
  device?: string;
}

/** A workstation with a rack.yaml, a secret store and a directory of copies. */
async function startPlace({ store = backupKey, encrypt = true } = {}) {
  const dir = await tempDir();
  for (const each of ['offsite', 'store/rack4']) {
    await mkdir(join(dir, each), { recursive: true, mode: 0o700 });
  }
  if (store !== '') await writeFile(join(dir, 'store/rack4/backup-key'), `${store}\n`);
  const key = await generateX25519Identity();
  const recipient = await identityToRecipient(key);
  await writeFile(join(dir, 'identity'), `${key}\n`, { mode: 0o600 });
  const rack = `rack: rack4
timezone: UTC
jumphost: { name: jumphost-rack4, address: 192.0.2.8 }
secrets: { folder: ${dir}/store }
logins: { switches: { username: admin, password: secrets/switch } }
equipment:
  switch-1: { model: edgeswitch, address: 192.0.2.11, login: switches }
services: { router-backup: { upload: ${dir}/offsite, encrypt: ${encrypt ? `[${recipient}]` : 'none'} } }
`;
  await writeFile(join(dir, 'rack.yaml'), rack);
  /** Returns the name of the copy. */
  async function copy(day: string, text: string, how: CopyOptions = {}): Promise<string> {
    const { key: made, isPlain = false, device = switchName } = how;
    const time = `${day}T03:00:00Z`;
    const { file, digest } = await pack(
      { bytes: Buffer.from(`${text}\n`) },
      {
        recipients: isPlain ? 'none' : [recipient],
        nonce: newNonce(),
        authenticated:
          made === undefined ? undefined : { backupKey: new Secret(made), device, time },
        folder: dir,
      },
    );
    const name = `${day}-${device}-${digest}.gz${isPlain ? '' : '.age'}`;
    await rename(file, join(dir, 'offsite', name));
    return name;
  }
  const env = { HOME: dir };
  const ofRack = ['--rack', join(dir, 'rack.yaml')];
  async function skolo(verb: string, ...args: string[]) {
    const identity = ['--identity', join(dir, 'identity')];
    return await runCommand(['backup', verb, ...args, ...identity], undefined, env);
  }
  const show = (...args: string[]) =>
    skolo('show', switchName, '--secrets', '--from', join(dir, 'offsite'), ...args);
  return { dir, copy, skolo, show, ofRack };
}

const own = { key: backupKey };

describe('skolo backup --from', () => {
  it('prints the newest copy that the rack made, and names a newer one', async () => {
    const { copy, show, skolo, dir, ofRack } = await startPlace();
    await copy('2026-11-17', 'the first', own);
    await copy('2026-11-18', 'genuine', own);
    const forged = [
      await copy('2026-11-19', 'of eve'),
      await copy('2026-11-20', 'of eve', { key: 'of eve' }),
      await copy('2026-11-21', 'of eve', { isPlain: true }),
    ];

    const latest = await show(...ofRack);
    expect(latest).toMatchObject({ out: 'genuine\n', exitCode: 0 });
    for (const name of forged) expect(latest.err).toContain(name);
    const restore = await skolo('restore', switchName, '--from', join(dir, 'offsite'), ...ofRack);
    expect(restore.out).toContain('genuine');
    expect(restore.err).toContain('is not authenticated');
  });

  it('passes a newer copy that cannot be read', async (context) => {
    if (process.getuid?.() === 0) return context.skip('root may read everything');
    const { copy, dir, show, ofRack } = await startPlace();
    await copy('2026-11-18', 'genuine', own);
    const name = await copy('2026-11-19', 'of eve');
    await chmod(join(dir, 'offsite', name), 0o000);

    const latest = await show(...ofRack);

    expect(latest).toMatchObject({ out: 'genuine\n', exitCode: 0 });
    expect(latest.err).toContain(`${name}: ${dir}/offsite: the user that`);
  });

  it('accepts another copy if a person names it', async () => {
    const { copy, show, ofRack } = await startPlace();
    const name = await copy('2026-11-19', 'of an earlier version');
    const plain = await copy('2026-11-18', 'not encrypted', { isPlain: true });

    expect(await show(...ofRack, '--version', name)).toMatchObject({ out: '', exitCode: 1 });
    const accepting = [...ofRack, '--unauthenticated'];
    const accepted = await show(...accepting, '--version', name);
    expect(accepted).toMatchObject({ out: 'of an earlier version\n', exitCode: 0 });
    expect(accepted.err).toContain(`${name} is not authenticated`);
    for (const time of [[], ['--version', '2026-11-19'], ['--version', name.slice(0, -1)]]) {
      const unnamed = await show(...accepting, ...time);
      expect(unnamed).toMatchObject({ out: '', exitCode: 1 });
      expect(unnamed.err).toContain(`specify its complete ID: --version ${name}`);
    }
    const rejected = await show(...accepting, '--version', plain);
    expect(rejected).toMatchObject({ out: '', exitCode: 1 });
    expect(rejected.err).toContain(
      'is neither encrypted, as rack.yaml requires, nor authenticated',
    );
  });

  it.each([
    ['the store is gone', 'store', (path: string) => rm(path, { recursive: true })],
    [
      'the key cannot be read',
      'store/rack4/backup-key',
      async (path: string) => {
        await rm(path);
        await mkdir(path);
      },
    ],
    ['others may read the store', 'store', (path: string) => chmod(path, 0o755)],
  ])('prints nothing if %s, unless a person names a version', async (_what, path, change) => {
    const { copy, dir, show, ofRack } = await startPlace();
    const name = await copy('2026-11-20', 'of eve');
    await change(join(dir, path));

    const latest = await show(...ofRack);

    expect(latest).toMatchObject({ out: '', exitCode: 1 });
    expect(latest.err).toContain('backup-key, which authenticates copies, cannot be read');
    const named = [...ofRack, '--version', name, '--unauthenticated'];
    expect(await show(...named)).toMatchObject({ out: 'of eve\n', exitCode: 0 });
  });

  it.each([
    ['without a rack.yaml', { store: backupKey }, false, 'add --on RACK or --rack FILE'],
    ['without the key in the store', { store: '' }, true, 'the secret store has no backup-key'],
  ])('prints the newest copy as before %s, and says so', async (_, options, hasRack, why) => {
    const { copy, show, ofRack } = await startPlace(options);
    await copy('2026-11-18', 'genuine', own);
    const name = await copy('2026-11-19', 'newest');
    const plain = hasRack ? await copy('2026-11-20', 'of eve', { isPlain: true }) : '';

    const { out, err, exitCode } = await show(...(hasRack ? ofRack : []));

    expect({ out, exitCode }).toEqual({ out: 'newest\n', exitCode: 0 });
    expect(err).toContain(plain);
    expect(err).toMatch(new RegExp(`${name} is not authenticated; .*${why}`));
  });

  it('says that a keyed name cannot be verified without the key', async () => {
    const { copy, show, ofRack } = await startPlace({ store: '' });
    const name = await copy('2026-11-18', 'genuine', own);

    const named = await show(...ofRack, '--version', name, '--unauthenticated');

    expect(named).toMatchObject({ out: 'genuine\n', exitCode: 0 });
    expect(named.err).toContain(
      `${name} is not authenticated, and may have other content than its name says; the secret`,
    );
  });

  it('accepts plain copies of a rack that does not encrypt, if it made them', async () => {
    const { copy, show, ofRack } = await startPlace({ encrypt: false });
    await copy('2026-11-18', 'genuine', { ...own, isPlain: true });
    await copy('2026-11-19', 'of eve', { isPlain: true });

    expect((await show(...ofRack)).out).toBe('genuine\n');
  });

  it('accepts no plain archive of the jumphost', async () => {
    const { copy, skolo, dir, ofRack } = await startPlace();
    const jumphost = 'jumphost-rack4';
    const name = await copy('2026-11-18', 'x', { ...own, isPlain: true, device: jumphost });
    for (const more of [[], ['--version', name, '--unauthenticated']]) {
      const from = ['--from', join(dir, 'offsite'), '--secrets', ...ofRack, ...more];
      const { out, err } = await skolo('show', jumphost, ...from);
      expect(out).toBe('');
      expect(err).toContain('the archive is not encrypted');
    }
  });

  it('treats a git repository as not authenticated', async () => {
    const { dir, skolo, ofRack } = await startPlace();
    const history = join(dir, 'history.git');
    const repository = await Repository.open(history, { rack: 'rack4' });
    const time = '2026-11-18T03:00:00Z';
    const about = { rack: 'rack4', model: 'edgeswitch', run: 'r', time, by: 'schedule' };
    const content = { bytes: Buffer.from('in git\n') };
    const { id } = await repository.commit({ device: switchName, content, about });
    await repository.close();
    const show = (from: string, ...more: string[]) =>
      skolo('show', switchName, '--secrets', '--from', from, ...more);

    expect(await show(history, ...ofRack)).toMatchObject({ out: '', exitCode: 1 });
    const named = [...ofRack, '--unauthenticated', '--version', id];
    expect(await show(history, ...named)).toMatchObject({ out: 'in git\n', exitCode: 0 });
    expect(await show(history)).toMatchObject({ out: 'in git\n', exitCode: 0 });
    const remote = await show(`file://${history}`, ...named);
    expect(remote.out).toBe('in git\n');
  });

  it.each([[['--unauthenticated']], [['--version', 'latest']]])(
    'restores no history that nobody has named: %s',
    async (option) => {
      const { dir, skolo, ofRack } = await startPlace();
      const from = ['--from', join(dir, 'offsite'), '--reason', 'the disk died'];

      const { err, exitCode } = await skolo('restore-history', ...from, ...ofRack, ...option);

      expect(exitCode).toBe(2);
      expect(err).toContain("'--version' and '--unauthenticated' require each other");
    },
  );

  it('restores as the model in rack.yaml does, not as that in a copy', async () => {
    const { dir, ofRack, skolo } = await startPlace({ store: '', encrypt: false });
    const texts: string[] = [];
    for (const model of ['edgeswitch', 'routeros']) {
      const history = join(dir, model);
      const repository = await Repository.open(history, { rack: 'rack4' });
      const time = '2026-11-18T03:00:00Z';
      const about = { rack: 'rack4', model, run: 'r', time, by: 'schedule' };
      const content = { bytes: Buffer.from('hostname switch\n') };
      await repository.commit({ device: switchName, content, about });
      await repository.close();
      const { out } = await skolo('restore', switchName, '--from', history, ...ofRack);
      texts.push(out.replaceAll(/\b[0-9a-f]{7,40}\b/g, 'ID').replaceAll(history, 'HISTORY'));
    }

    expect(texts[0]).toContain('hostname switch');
    expect(texts[1]).toBe(texts[0]);
  });
});
