/** A Raspberry Pi from its first start on: the scripts of a shared image, in a directory that is its root. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { Secret } from '@skolo/base/secrets';
import { needs } from '@skolo/base/testing';
import { commonFiles, type PiSetup } from '@skolo/setup/pi';
import { onTestFinished } from 'vitest';
import { z } from 'zod';

export interface Board {
  serial: string;
  mac: string;
}

export interface Image {
  port: number;
  pin: string;
  secret: string;
}

/** The effects of systemctl: a restart ends the script, and the agent joins with a token that the cluster knows. */
const systemctl = `#!/bin/sh
echo "$*" >> "$SKOLO_ROOT/systemctl"
case "$*" in *k3s-agent*)
  [ -e "$SKOLO_ROOT/never-joins" ] || {
    mkdir -p "$SKOLO_ROOT/var/lib/rancher/k3s/agent"
    echo joined > "$SKOLO_ROOT/var/lib/rancher/k3s/agent/client-kubelet.crt"
  } ;;
esac
`;
/** Pauses are shortened. */
const sleep = '#!/bin/sh\nexec /bin/sleep 0.2\n';

/** A newly written card, in a board. */
export async function newCard(root: string, board: Board, image: Image): Promise<Pi> {
  const put = async (path: string, content: string, mode = 0o644) => {
    const file = join(root, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
    await chmod(file, mode);
  };
  for (const { path, content, mode } of commonFiles(setupOf(image), 'cloud-init')) {
    await put(path, content, mode);
  }
  await put('/var/lib/skolo-enrol/secret', `${image.secret}\n`, 0o600);
  await put('/proc/device-tree/serial-number', `${board.serial}\0`);
  await put('/proc/device-tree/model', 'Raspberry Pi 4 Model B Rev 1.4\0');
  await put('/sys/class/net/eth0/address', `${board.mac}\n`);
  await put('/sys/class/net/eth0/device', '');
  await put('/stubs/systemctl', systemctl, 0o755);
  await put('/stubs/sleep', sleep, 0o755);
  return new Pi(root);
}

export class Pi {
  readonly root: string;
  private running: ChildProcess | undefined;
  private output = '';

  constructor(root: string) {
    this.root = root;
    onTestFinished(() => this.cutPower());
  }

  /** Its log since its creation. */
  get log(): string {
    return this.output;
  }

  /** Starts it, as if powered on. It restarts when the script requests that. Resolves when the script has ended. */
  async boot(): Promise<void> {
    for (;;) {
      await writeFile(join(this.root, 'systemctl'), '');
      await this.script('skolo-enrol');
      if (!(await this.read('/systemctl')).includes('reboot')) return;
    }
  }

  storeLockdown(): Promise<number | null> {
    return this.script('skolo-lockdown');
  }

  /** A request by a task with root on it, with the card's key: the status and the answer. */
  async ask(port: number, path: string, body?: object): Promise<[number | undefined, string]> {
    const key = await this.read('/var/lib/skolo-enrol/key.pem');
    const cert = await this.read('/var/lib/skolo-enrol/cert.pem');
    const asking = request({
      host: '127.0.0.1',
      port,
      path,
      key,
      cert,
      rejectUnauthorized: false,
      method: body ? 'POST' : 'GET',
      headers: { 'content-type': 'application/json' },
    });
    asking.end(body && JSON.stringify(body));
    const [response] = z
      .tuple([z.instanceof(IncomingMessage)])
      .parse(await once(asking, 'response'));
    return [response.statusCode, await text(response)];
  }

  cutPower(): void {
    const { pid } = this.running ?? {};
    this.running = undefined;
    try {
      if (pid !== undefined) process.kill(-pid, 'SIGKILL');
    } catch {
      // It has ended.
    }
  }

  read(path: string): Promise<string> {
    return readFile(join(this.root, path), 'utf8');
  }

  async has(path: string): Promise<boolean> {
    return await stat(join(this.root, path)).then(
      () => true,
      () => false,
    );
  }

  private async script(name: string): Promise<number | null> {
    needs('curl', 'openssl');
    const unit = await this.read(`/etc/systemd/system/${name}.service`);
    const [, url = '', pin = ''] = /^ExecStart=\S+ (\S+) (\S+)$/m.exec(unit) ?? [];
    const child = spawn('sh', [join(this.root, 'usr/local/sbin', name), url, pin], {
      env: { PATH: `${this.root}/stubs:${process.env.PATH}`, SKOLO_ROOT: this.root },
      // Its own group, so that its children lose power, too.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.running = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (data) => {
        this.output += String(data);
      });
    }
    await once(child, 'close');
    return child.exitCode;
  }
}

function setupOf({ port, pin, secret }: Image): PiSetup {
  return {
    identity: { hostname: 'skolo-new', wired: 'dhcp' },
    user: { name: 'pi', keys: ['ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIexample ann@desk'] },
    wifi: 'off',
    nameServers: ['127.0.0.1'],
    hosts: ['127.0.0.8\tjumphost-rack4'],
    timezone: 'UTC',
    keyboard: 'us',
    locale: 'C.UTF-8',
    timeServers: [],
    cluster: { server: '127.0.0.1', programSha256: 'ab'.repeat(32) },
    enrolment: {
      port,
      pin,
      secret: new Secret(secret),
      subnet: { prefix: 8, gateway: '127.0.0.1' },
    },
  };
}
