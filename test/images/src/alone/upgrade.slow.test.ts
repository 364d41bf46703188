import { once } from 'node:events';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { run, tempDir } from '@skolo/base/testing';
import { type Computer, makeServiceAccountKey, startGoogleOAuth } from '@skolo/simulators';
import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { Entries, expectKept, Kept } from '../../../demo/src/testing/kept-lists.ts';
import { arch, freshDebian, services, whyNoFreshDebian, writePackage } from '../fresh-debian.ts';
import { root } from '../paths.ts';
import { lend, ours } from './furnish.ts';

const demo = join(root, 'test/demo');
const archives = (await readdir(join(demo, 'testdata'))).filter((name) =>
  /^state-.*\.tar\.gz$/.test(name),
);
const machine = 'skia-rpi2-demo-shelf1-001';
const tokenRequest = `{ host: '127.101.0.1', localAddress: '127.101.1.1', headers: { 'Metadata-Flavor': 'Google' }, path: '/computeMetadata/v1/instance/service-accounts/default/token' }`;

const Answer = z.union([
  Entries,
  z.looseObject({}).transform((answer) => Entries.parse(Object.values(answer).find(Array.isArray))),
]);
const Token = z.object({ access_token: z.string() });

/** A computer with two versions to install, and the archive in /opt/packages/state. */
async function open(archive: string) {
  const packages = await tempDir();
  for (const version of ['0.2.0', '0.2.1']) await writePackage(packages, version);
  const state = join(packages, 'state');
  await mkdir(state);
  await run('tar', ['-xzf', join(demo, 'testdata', archive), '-C', state]);
  const read = (file: string) => readFile(join(state, file), 'utf8');
  const kept = Kept.parse(JSON.parse(await read('kept.json')));
  const computer = await freshDebian(`${ours}/24`, packages);
  onTestFinished(() => computer.scrap());
  return { computer, kept, rackYaml: await read('rack.yaml') };
}

/** All but the state, which needs the users of the services first. Returns the clock's variables. */
async function furnish(computer: Computer, rackYaml: string, behind: number): Promise<string[]> {
  const variables = [
    `SKOLO_CLOCK_BEHIND_MS=${behind}`,
    'NODE_OPTIONS=--import=/etc/skolo/past-clock.mts',
  ];
  await computer.write(
    '/etc/network/interfaces',
    'auto lo host0\niface lo inet loopback\niface host0 inet static\n  address 198.51.100.2/24\n',
  );
  const clock = await readFile(join(demo, 'src/testing/past-clock.ts'), 'utf8');
  await computer.write('/etc/skolo/past-clock.mts', clock);
  await computer.write('/etc/skolo/rack.yaml', rackYaml);
  await computer.write(
    '/etc/systemd/system/skolo-.service.d/clock.conf',
    `[Service]\nEnvironment=${variables.join(' ')}\n`,
  );
  await computer.boot();
  return variables;
}

const why = whyNoFreshDebian();
describe.skipIf(why)('state', () => {
  it.each(archives)('%s: an upgrade and a downgrade lose nothing', async (archive) => {
    const { computer, kept, rackYaml } = await open(archive);
    const behind = Date.now() - Date.parse(kept.at);
    const google = await startGoogleOAuth({ clock: { now: () => Date.now() - behind } });
    onTestFinished(() => google.close());
    const key = makeServiceAccountKey({
      email: 'bots@skolo-demo.iam.gserviceaccount.com',
      tokenUri: google.tokenUrl,
    });
    google.addServiceAccountKey(key);
    const sinkAt = rackYaml.replace('http://127.0.0.1:9/', `http://${ours}:8080/`);
    const variables = await furnish(computer, sinkAt, behind);
    await lend(computer, Number(new URL(google.tokenUrl).port));

    const need = async (script: string) => {
      const { exitCode, text } = await computer.run('sh', '-euc', script);
      expect(exitCode, `${script}\n${text}`).toBe(0);
      return text;
    };
    const enable = async (version: string) => {
      await need(`dpkg -i /opt/packages/skolo_${version}_${arch}.deb`);
      const printed = await need(`skolo service enable ${services.join(' ')} || [ $? = 3 ]`);
      expect(printed).toContain(`running skolo ${version}`);
    };
    const skolo = (command: string) =>
      need(
        `${variables.join(' ')} skolo ${command} --rack /etc/skolo/rack.yaml --token-file /etc/skolo/secrets/operator-token`,
      );
    const list = async (command: string) =>
      Answer.parse(JSON.parse(await skolo(`${command} --json`)));
    const answers = async () => {
      const token = await need(
        `/opt/skolo/current/bin/node -e "require('http').get(${tokenRequest}, (response) => response.pipe(process.stdout))"`,
      );
      return {
        backups: await list('backup list router'),
        change: await skolo('backup diff router'),
        cycles: await list('power log'),
        // Version 0.2.0 has no kinds of holds.
        holds: (await list('power holds')).map(({ kind: _, ...hold }) => hold),
        // Since then, the services have observed that everything else is down.
        history: (await list(`machine history ${machine}`)).filter(
          ({ at }) => String(at) <= kept.at,
        ),
        order: (await list(`machine list ${machine}`)).map(({ orders }) => orders),
        clients: (await list('metadata clients')).filter(({ name }) => name === 'skia-e-linux-01'),
        token: Token.parse(JSON.parse(token)).access_token,
      };
    };

    await need('apt-get update && apt-get install -qy --no-install-recommends git iputils-ping');
    await need('cp -r /opt/packages/state/secrets /etc/skolo');
    await computer.write('/etc/skolo/secrets/bots.json', JSON.stringify(key));
    await need('groupadd --system skolo; chgrp -R skolo /etc/skolo; chmod -R g+rX /etc/skolo');
    await enable('0.2.0');
    await need(`systemctl stop 'skolo-*'
cd /var/lib/skolo
for each in *; do
  cp -rT /opt/packages/state/state/$each $each
  chown -R --reference=$each $each
done`);
    await enable('0.2.0');
    await skolo("power hold switch-2 --for 2h --reason 'a new fan'");

    const before = await answers();
    const { backups, cycles, history, clients } = before;
    expectKept({ backups, cycles, history, clients }, kept.lists);
    expect(before.holds).toMatchObject([{ target: 'switch-2' }]);
    expect(JSON.stringify(before.order)).toContain('a new fan');
    expect(google.isValid(before.token)).toBe(true);

    await enable('0.2.1');
    expect(await answers()).toEqual(before);

    const received: { id: string | undefined; body: string }[] = [];
    const sink = createServer(async (request, response) => {
      const id = request.headers['idempotency-key']?.toString();
      received.push({ id, body: await text(request) });
      response.end();
    }).listen(8080, ours);
    onTestFinished(() => void sink.close());
    await once(sink, 'listening');
    await expect.poll(() => received[0]?.body).toContain('"HostHot"');

    await enable('0.2.0');
    expect(await answers()).toEqual(before);
    // Whether it still fires is another message.
    expect(received.filter(({ id }) => id === received[0]?.id)).toHaveLength(1);
  });
});
