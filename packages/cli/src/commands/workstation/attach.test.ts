/**
 * A workstation with two racks: real shells, ssh, sshd and kubectl, and API servers that only tell which one they are. A real one is in
 * src/workstation.slow.test.ts.
 */
import { appendFile, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import { join } from 'node:path';
import { listen, run, tempDir, untilTestEnds } from '@skolo/base/testing';
import { lacks, startJumphost } from '@skolo/simulators';
import { beforeEach, describe, expect, it } from 'vitest';
import { runCommand } from '../../testing/run-command.ts';

const names = ['rack4', 'rack5'];

describe.skipIf(lacks('ssh', 'sshd', 'kubectl', 'openssl'))(
  'on a workstation with two racks',
  () => {
    let dir: string;
    let env: Record<string, string>;
    const file = (name: string) => join(dir, name);

    beforeEach(async () => {
      dir = await tempDir();
      const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
      const name = ['-subj', '/CN=k3s', '-addext', 'subjectAltName=IP:127.0.0.1'];
      const files = ['-keyout', file('key'), '-out', file('certificate')];
      await run('openssl', ['req', '-x509', ...kind, ...name, ...files]);
      const cert = await readFile(file('certificate'), 'utf8');
      await writeFile(file('authority'), JSON.stringify({ data: { 'ca.crt': cert } }));
      const racks = await Promise.all(names.map(startRack));
      const repo = 'https://git.example.com/racks/skolo.git';
      const clusters = Object.fromEntries(racks.map(({ entry }) => [entry.context_name, entry]));
      await writeFile(file('config.json'), JSON.stringify({ gitdir: '~/skolo', repo, clusters }));
      // The ssh of the first knows both.
      const [first, second] = racks.map(({ jumphost }) => jumphost);
      await appendFile(first?.sshConfig ?? '', await readFile(second?.sshConfig ?? ''));
      const PATH = `${first?.bin}:${process.env.PATH}`;
      env = { PATH, HOME: dir, XDG_RUNTIME_DIR: await tempDir() };
    });

    function skolo(...args: string[]) {
      return runCommand(['--clusters', file('config.json'), ...args], undefined, env);
    }

    async function startRack(name: string) {
      const token = `token-of-${name}`;
      const tls = { key: await readFile(file('key')), cert: await readFile(file('certificate')) };
      const api = createServer(tls, ({ headers }, response) => {
        response.writeHead(headers.authorization === `Bearer ${token}` ? 200 : 401).end(name);
      });
      const access = { status: { token, expirationTimestamp: '2100-01-01T00:00:00Z' } };
      const jumphost = await startJumphost({
        name: `jumphost-${name}`,
        programs: {
          k3s: `case "$*" in
*configmap*) cat ${file('authority')} ;;
*token*) echo '${JSON.stringify(access)}' ;;
esac`,
          journalctl: `echo "${name}: $*"`,
        },
      });
      if (jumphost === undefined) throw new Error('sshd is not installed');
      untilTestEnds(jumphost);
      const entry = {
        type: 'k3s',
        port: 6442,
        context_name: name,
        jumphost: `jumphost-${name}`,
        api_port: await listen(api),
      };
      return { jumphost, entry };
    }

    it('attach starts a shell for each at the same time, with its own cluster', async () => {
      const until = names.map((name) => `[ -e ${file(name)}.started ]`).join(' && ');
      const script = `touch ${dir}/$SKOLO_ON.started; until ${until}; do sleep 0.1; done
kubectl get --raw /whoami > ${dir}/$SKOLO_ON`;

      const ended = await Promise.all(
        names.map((name) => skolo('attach', name, '--', 'sh', '-c', script)),
      );

      expect(ended).toEqual(names.map(() => ({ out: '', err: '', exitCode: 0 })));
      for (const name of names) expect(await readFile(file(name), 'utf8')).toBe(name);
      expect(await readdir(env.XDG_RUNTIME_DIR ?? '')).toEqual([]);
    });

    it('logs reads the journal of k3s on the jumphost', async () => {
      for (const name of names) {
        const { out } = await skolo('logs', name, '--k3s');

        expect(out).toBe(`${name}: --no-pager -n 100 -u k3s\n`);
      }
    });
  },
);
