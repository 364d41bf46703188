/** What BMCs and Shelly devices of other people answered over HTTP: our drivers read them, and send commands where these devices take them. */
import { startPlayback } from '@skolo/simulators';
import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { loadDrivers } from './load.ts';
import { depsWith, patient, rackDevice } from './testing/outlets.ts';
import { noRecordings, recordedPages } from './testing/recordings.ts';

const drivers = await loadDrivers();

/** The driver of a device that has these pages. */
async function open(
  model: string,
  pages: Record<string, unknown>,
  options: Record<string, unknown> = {},
) {
  const talks = Object.entries(pages).map(([sent, page]) => ({
    kind: 'http' as const,
    ...{ sent, status: 200, headers: {}, received: JSON.stringify(page) },
  }));
  const account = { username: 'admin', password: 'canary-played-2b8e' };
  const { host, ports, received, close } = await startPlayback(
    { transport: 'http', talks },
    account,
  );
  onTestFinished(close);
  const device = rackDevice(model, { address: host, ports, transport: 'http', options });
  const driver = drivers.get(model)?.create(device, depsWith(account));
  if (driver?.report === undefined) throw new Error(`${model} reads no settings`);
  return { driver, report: driver.report, received };
}

const System = z.object({
  '@odata.id': z.string(),
  Id: z.string(),
  PowerState: z.enum(['On', 'Off']),
  Model: z.string(),
  Actions: z.object({ '#ComputerSystem.Reset': z.object({ target: z.string() }) }),
});

describe.skipIf(noRecordings)('a recorded BMC', () => {
  const makers = ['bmclib_dell', 'generic', 'hpe', 'lenovo', 'supermicro', 'supermicro_x10'];

  it.each([...makers, 'supermicro_x10_119'])(
    '%s is read, and switched by its own action',
    async (name) => {
      const pages = recordedPages(`redfish/${name}`).map(({ page }) =>
        z.looseObject({ '@odata.id': z.string() }).parse(page),
      );
      const [system] = pages.flatMap((page) => System.safeParse(page).data ?? []);
      if (system === undefined) throw new Error(`${name} has no system`);
      const { target } = system.Actions['#ComputerSystem.Reset'];
      const gets = Object.fromEntries(pages.map((page) => [`GET ${page['@odata.id']}`, page]));
      const options = { https: false, system: system.Id };
      const { driver, report, received } = await open(
        'redfish',
        { ...gets, [`POST ${target}`]: {} },
        options,
      );

      const reading = await driver.read([system.Id], patient());
      const { hardware } = await report([system.Id], patient()).catch(() => ({
        hardware: system.Model,
      }));
      await driver.turnOff(system.Id, patient());

      expect(reading.get(system.Id)?.state).toBe(system.PowerState.toLowerCase());
      expect(hardware).toBe(system.Model);
      expect(received.filter((line) => line.startsWith('POST '))).toEqual([`POST ${target}`]);
    },
  );
});

const Shelly = z.object({
  shelly: z.looseObject({ model: z.string().optional(), type: z.string().optional() }),
  status: z.record(z.string(), z.unknown()),
  settings: z.unknown().optional(),
  config: z.unknown().optional(),
});
const Relays = z.array(z.object({ ison: z.boolean() }));
const Switch = z.object({ output: z.boolean() });

describe.skipIf(noRecordings)('a recorded Shelly device', () => {
  const all = recordedPages('shelly').map(({ name, page }) => ({ name, ...Shelly.parse(page) }));
  const [first, second] = ['gen1', 'gen2'].map((generation) =>
    all.filter(({ name }) => name.startsWith(generation)),
  );

  it.each(first ?? [])('$name is read', async ({ shelly, status, settings }) => {
    const pages = { 'GET /shelly': shelly, 'GET /status': status, 'GET /settings': settings };
    const { driver, report } = await open('shelly-gen1', pages);
    const relays = Relays.safeParse(status.relays).data;

    const reading = driver.read(['0'], patient());

    // A lamp has none.
    if (relays === undefined)
      return await expect(reading).rejects.toThrow('the state of its relays');
    expect((await reading).get('0')?.state).toBe(relays[0]?.ison ? 'on' : 'off');
    expect((await report(['0'], patient())).hardware).toBe(shelly.type);
  });

  it.each(second ?? [])('$name is read', async ({ shelly, status, config }) => {
    const states = Object.entries(status).flatMap(([key, value]) =>
      key.startsWith('switch:') ? [[key.slice(7), Switch.parse(value).output] as const] : [],
    );
    const pages = {
      'POST /rpc': { result: status },
      'GET /rpc/Shelly.GetDeviceInfo': shelly,
      'GET /rpc/Shelly.GetConfig': config,
    };
    const { driver, report } = await open('shelly-gen2', pages, { outlets: states.length || 1 });
    const ids = states.map(([id]) => id);

    const reading = await driver.read(states.length > 0 ? ids : ['0'], patient());

    const seen = [...reading].map(([id, { state }]) => [id, state]);
    // A gateway has none.
    const expected = states.map(([id, isOn]) => [id, isOn ? 'on' : 'off']);
    expect(seen).toEqual(states.length > 0 ? expected : [['0', 'unknown']]);
    if (states.length > 0) expect((await report(ids, patient())).hardware).toBe(shelly.model);
  });
});
