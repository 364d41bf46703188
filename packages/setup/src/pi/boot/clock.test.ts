/** The clock's script, with a server of HTTPS, and with fakes of the programs that set and know the time. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '@skolo/base/testing';
import { lacks } from '@skolo/simulators';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clock } from './clock.ts';

const past = 86_400;

describe.skipIf(lacks('curl', 'openssl'))('the clock', () => {
  let folder: string;
  let server: Server;
  let date: string | undefined;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'skolo-clock-'));
    const [key, cert] = ['key.pem', 'cert.pem'].map((name) => join(folder, name)) as [
      string,
      string,
    ];
    await run('openssl', [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
      ...['-subj', '/CN=k3s', '-days', '2', '-keyout', key, '-out', cert],
    ]);
    server = createServer(
      { key: await readFile(key), cert: await readFile(cert) },
      (_, response) => {
        // As k3s answers somebody without a certificate.
        response.sendDate = false;
        if (date !== undefined) response.setHeader('Date', date);
        response.writeHead(401).end();
      },
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    await writeFile(join(folder, 'skolo-clock'), clock);
    await writeFile(
      join(folder, 'date'),
      `#!/bin/sh
case $* in
  +%s) cat "$CLOCK" ;;
  '-u -s @'*) echo "\${3#@}" > "$CLOCK" ;;
  *) exec /usr/bin/date "$@" ;;
esac
`,
      { mode: 0o755 },
    );
    await writeFile(
      join(folder, 'timedatectl'),
      '#!/bin/sh\n[ ! -e "$SYNCED" ] || { echo 1800000000 > "$CLOCK"; echo yes; }\n',
      { mode: 0o755 },
    );
    // Seconds of waiting are none here.
    await writeFile(join(folder, 'sleep'), '#!/bin/sh\n', { mode: 0o755 });
  });
  afterAll(async () => {
    server.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function start(least: number, { withServer = true, synced = false } = {}): Promise<number> {
    const file = join(folder, 'clock');
    await writeFile(file, `${past}\n`);
    const { port } = server.address() as AddressInfo;
    const env = {
      PATH: `${folder}:${process.env.PATH}`,
      CLOCK: file,
      SYNCED: synced ? folder : join(folder, 'none'),
    };
    const to = withServer ? [`127.0.0.1:${port}`] : [];
    await run('sh', [join(folder, 'skolo-clock'), `${least}`, ...to], { env });
    return Number(await readFile(file, 'utf8'));
  }

  it('is never before the image was made, also without a network', async () => {
    expect(await start(1_790_000_000, { withServer: false })).toBe(1_790_000_000);
  });

  it('comes from NTP where that is there', async () => {
    expect(await start(1_790_000_000, { synced: true })).toBe(1_800_000_000);
  });

  it('comes from the Date of the server without NTP, whose certificate is not valid in 1970', async () => {
    date = 'Sun, 22 Nov 2026 11:17:07 GMT';
    expect(await start(1_790_000_000)).toBe(Date.parse(date) / 1000);
  });

  it('does not go back', async () => {
    date = 'Thu, 01 Jan 1970 00:00:00 GMT';
    expect(await start(1_790_000_000)).toBe(1_790_000_000);
  });
});
