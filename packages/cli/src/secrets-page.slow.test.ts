/** "Change a password or key on equipment" in docs/change/secrets.md, run as printed, with a real API server, git, and an EdgeSwitch. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Secret } from '@skolo/base/secrets';
import { run, tempDir, untilTestEnds } from '@skolo/base/testing';
import { openSops, sealSops } from '@skolo/fleet/secret-store';
import { missing, noNamespaces, startCluster, startWorkstation } from '@skolo/fleet/testing';
import { newRackKey } from '@skolo/rack/jumphost';
import { lacks, startEdgeSwitch, typeInto } from '@skolo/simulators';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { expect, it, onTestFinished } from 'vitest';

const repository = fileURLToPath(new URL('../../../', import.meta.url));
const old = 'of-yesterday';
const stored = 'kube/sops/rack4/switch.sops';

it.skipIf(missing() ?? lacks('openssl') ?? noNamespaces)(
  'a password is changed manually while services have both',
  async () => {
    const [store = '', typed = '', check = '', remove = ''] = await blocks();
    const device = untilTestEnds(
      await startEdgeSwitch({
        ...{ username: 'ubnt', password: old, ports: 5, wiring: { hosts: [] } },
        configuration: `hostname "switch-1"\nconfigure\nusername "ubnt" password ${'5'.repeat(16)} level 15 encrypted\nexit\n`,
      }),
    );
    for (const outlet of device.board.names()) device.board.setWatts(outlet, 0);
    const { home, env, identity } = await workstationWith(device.port);
    const sh = (script: string, editor: string) =>
      run('sh', ['-euc', script], { cwd: home, env: { ...env, EDITOR: editor } });
    const values = async () =>
      (
        await openSops(await readFile(join(home, stored), 'utf8'), [new Secret(identity)], stored)
      ).reveal();

    const next = (await sh(store, `sh -c 'sed -i "1i n3w-password" "$0"'`)).stdout;
    expect(next).toMatch(/^[\da-f]{20}$/m);
    expect((await values()).trim().split('\n')).toEqual(['n3w-password', old]);

    const [command = '', ...lines] = check.trimEnd().split('\n');
    const before = await sh(command.slice(2), '');
    expect(before.stdout).toMatch(
      /^switch-1: info: value 1 of 2 in login switches does not sign in: /m,
    );
    expect(before.stdout).toMatch(/^switch-1: info: value 2 of 2 in login switches signs in$/m);

    const keys = typed.trim().replace('NEW', 'n3w-password').split('\n');
    await typeInto(
      device,
      { username: 'ubnt', password: old },
      '>',
      keys.map((line) => ({
        keys: `${line}\r`,
        until: line.startsWith('write') ? '(y/n) ' : '#',
      })),
    );
    await device.reboot();
    const { stdout } = await sh(command.slice(2), '');
    for (const line of lines) expect(stdout).toContain(line.replace(/…$/, ''));
    expect(stdout).toContain(', no problems, ');

    const last = await sh(remove, 'sed -i 2d');
    expect((await values()).trim()).toBe('n3w-password');
    expect(last.stdout).toMatch(/^switch \(switch-1\): ok: opens$/m);
    const { stdout: pushed } = await run('git', ['log', '--format=%s', 'origin/main'], {
      cwd: home,
    });
    expect(pushed).toMatch(/^rack4: only the new .*\nrack4: new and old /);
  },
);

/** The indented blocks of the section, in order. */
async function blocks(): Promise<string[]> {
  const page = await readFile(join(repository, 'docs/change/secrets.md'), 'utf8');
  const [, section = ''] =
    /^## Change a password or key on equipment\n(.*?)^## /ms.exec(page) ?? [];
  const found = [...section.matchAll(/^ {3}```(?:sh)?\n(.*?)^ {3}```$/gms)];
  return found.map(([, block = '']) => block.replaceAll(/^ {3}/gm, ''));
}

/** A clone with a remote, whose store has the old password. */
async function workstationWith(port: number) {
  const cluster = await startCluster();
  onTestFinished(() => cluster.close());
  const etc = await tempDir();
  const { kubeconfig } = cluster;
  const workstation = await startWorkstation({ kubeconfig, folders: { '/etc': etc } });
  onTestFinished(() => workstation.close());
  await workstation.jumphost.program('logger', 'true');
  const home = workstation.env.HOME ?? '';
  await mkdir(join(home, 'bin'), { recursive: true });
  await mkdir(join(home, 'kube/sops/rack4'), { recursive: true });
  await writeFile(
    join(home, 'kube/racks/rack4/rack.yaml'),
    `rack: rack4
jumphost: { name: jumphost-rack4, address: 127.0.0.8 }
network: { subnet: 127.0.0.0/8 }
logins:
  switches: { username: ubnt, password: secrets/switch }
equipment:
  switch-1: { model: edgeswitch, portCount: 5, address: 127.0.0.1, ports: { ssh: ${port} }, login: switches }
`,
  );
  const identity = await generateX25519Identity();
  const recipient = await identityToRecipient(identity);
  await writeFile(join(home, 'keys.txt'), identity);
  await writeFile(join(home, '.sops.yaml'), `creation_rules: [{ age: "${recipient}" }]\n`);
  for (const name of ['switch', 'k3s-token', 'rack-key']) {
    const value = name === 'rack-key' ? newRackKey() : old;
    const sealed = await sealSops(new Secret(value), [recipient], Date.now());
    await writeFile(join(home, `kube/sops/rack4/${name}.sops`), sealed);
  }
  const main = join(repository, 'packages/cli/src/main.ts');
  const skolo = `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`;
  await writeFile(join(home, 'bin/skolo'), skolo, { mode: 0o755 });
  const env: NodeJS.ProcessEnv = {
    ...workstation.env,
    PATH: `${join(home, 'bin')}:${workstation.env.PATH}`,
    SOPS_AGE_KEY_FILE: join(home, 'keys.txt'),
    GIT_AUTHOR_NAME: 'ann',
    GIT_AUTHOR_EMAIL: 'ann@example.com',
    GIT_COMMITTER_NAME: 'ann',
    GIT_COMMITTER_EMAIL: 'ann@example.com',
  };
  const git = (...args: string[]) => run('git', args, { cwd: home, env });
  const remote = await tempDir();
  await run('git', ['init', '--quiet', '--bare', remote], { env });
  await git('init', '--quiet', '--initial-branch=main');
  await git('add', '.sops.yaml', 'kube');
  await git('commit', '--quiet', '--message=all');
  await git('remote', 'add', 'origin', remote);
  await git('push', '--quiet', '--set-upstream', 'origin', 'main');
  return { home, env, identity };
}
