/** Commands of the fallback beside a fake systemctl and a fake k3s. Nothing that they change is outside of namespaces. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { needs, run } from '@skolo/base/testing';

/** Starts the fallback; its arguments follow. */
export const fallback = `node ${join(import.meta.dirname, '../main.ts')}`;

/** Also of process IDs: pods of other tests may be metadata servers. */
const namespaces = ['--mount', '--net', '--pid', '--fork', '--mount-proc'];

interface Surroundings {
  /** Receives the programs, and is their working directory. */
  dir: string;
  /** A shell script. */
  systemctl: string;
  /** JavaScript that listens on 127.0.0.1:6443 and then prints a line. */
  k3s: string;
}

/** @returns what the commands print */
export async function inNamespaces(
  { dir, systemctl, k3s }: Surroundings,
  commands: string,
): Promise<string> {
  needs('ip');
  await writeFile(join(dir, 'systemctl'), systemctl, { mode: 0o755 });
  await writeFile(join(dir, 'k3s.yaml'), 'server: http://127.0.0.1:6443\n');
  const script = `cd ${dir}
ip link set lo up
for folder in /run /var/lib; do mount -t tmpfs tmpfs $folder; done
node -e "$K3S" > k3s &
until [ -s k3s ]; do sleep 0.05; done
${commands}`;
  const env = {
    ...process.env,
    PATH: `${dir}:${join(process.execPath, '..')}:${process.env.PATH}`,
    K3S: k3s,
    SUDO_USER: 'ann',
    SKOLO_FALLBACK_KUBECONFIG: join(dir, 'k3s.yaml'),
  };
  const { stdout } = await run('unshare', [...namespaces, 'sh', '-ec', script], { env });
  return stdout;
}
