/**
 * Only the outlet's own state decides: whatever the other parts of an answer are, the outlet is read, turned off and turned on.
 */
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { listen } from '@skolo/base/testing';
import { runs } from '@skolo/durable/fault-injection';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ModelOutlets } from './contract/outlets.ts';
import { outlets as redfish } from './redfish/redfish.ts';
import { outlets as routeros } from './routeros/outlets.ts';
import { outlets as shellyGen1 } from './shelly-gen1/shelly-gen1.ts';
import { outlets as shellyGen2 } from './shelly-gen2/shelly-gen2.ts';
import { outlets as tasmota } from './tasmota/tasmota.ts';
import { placeOf } from './testing/http.ts';
import { openDriver, patient } from './testing/outlets.ts';

type Json = unknown;

interface Model {
  kind: ModelOutlets;
  options: Record<string, unknown>;
  outlet: string;
  /** Answers to reading requests, by a part of the request. */
  answers: [string, Json][];
  /** What must stay as it is, by the request: the outlet's own state, and the name that shows whose it is. */
  own: Record<string, string[][]>;
  /** Requests that switch it, and their answers. */
  off: [string, Json];
  on: [string, Json];
}

const reset = '/redfish/v1/Systems/1/Actions/ComputerSystem.Reset';
const poe = '/rest/interface/ethernet/poe';
const port = { '.id': '*1', name: 'ether1', 'poe-out': 'auto-on', disabled: 'false' };

const models: Record<string, Model> = {
  redfish: {
    kind: redfish,
    options: { https: false },
    outlet: '1',
    answers: [
      [
        'GET /redfish/v1/Systems/1 ',
        {
          Id: '1',
          Name: 'node',
          PowerState: 'On',
          PowerWatts: { Reading: 80 },
          Status: { Health: 'OK' },
          Links: { ManagedBy: [{ '@odata.id': '/redfish/v1/Managers/1' }] },
          Actions: {
            '#ComputerSystem.Reset': {
              target: reset,
              'ResetType@Redfish.AllowableValues': ['On', 'ForceOff', 'PowerCycle'],
            },
          },
        },
      ],
    ],
    own: { 'GET /redfish/v1/Systems/1 ': [['PowerState'], ['Id']] },
    off: [`POST ${reset} {"ResetType":"ForceOff"}`, {}],
    on: [`POST ${reset} {"ResetType":"On"}`, {}],
  },
  routeros: {
    kind: routeros,
    options: { https: false, portCount: 3 },
    outlet: 'ether1',
    answers: [
      [`GET ${poe} `, [port, { ...port, '.id': '*2', name: 'ether2' }]],
      [
        `POST ${poe}/monitor `,
        [{ name: 'ether1', 'poe-out-status': 'powered-on', 'poe-out-power': '4' }],
      ],
    ],
    own: {
      [`GET ${poe} `]: [
        ['0', '.id'],
        ['0', 'name'],
        ['0', 'poe-out'],
      ],
    },
    off: [`PATCH ${poe}/*1 {"poe-out":"off"}`, { ...port, 'poe-out': 'off' }],
    on: [`PATCH ${poe}/*1 {"poe-out":"auto-on"}`, port],
  },
  'shelly-gen1': {
    kind: shellyGen1,
    options: { outlets: 2 },
    outlet: '0',
    answers: [
      ['GET /shelly ', { type: 'SHSW-25', fw: '1', num_meters: 2 }],
      [
        'GET /status ',
        {
          relays: [
            { ison: true, has_timer: false },
            { ison: false, has_timer: false },
          ],
          meters: [{ power: 4, is_valid: true }, { power: 0 }],
          temperature: 40,
        },
      ],
    ],
    own: { 'GET /shelly ': [], 'GET /status ': [['relays', '0', 'ison']] },
    off: ['GET /relay/0?turn=off ', { ison: false, has_timer: false }],
    on: ['GET /relay/0?turn=on ', { ison: true, has_timer: false }],
  },
  'shelly-gen2': {
    kind: shellyGen2,
    options: { outlets: 2 },
    outlet: '0',
    answers: [
      [
        'POST /rpc {"id":1,"method":"Shelly.GetStatus"',
        {
          id: 1,
          src: 'plug',
          result: {
            'switch:0': { id: 0, output: true, apower: 4, temperature: { tC: 40 } },
            'switch:1': { id: 1, output: false, apower: null },
            'switch:100': { id: 100, output: false },
            sys: { uptime: 5 },
          },
        },
      ],
    ],
    own: {
      'POST /rpc {"id":1,"method":"Shelly.GetStatus"': [
        ['id'],
        ['result', 'switch:0', 'id'],
        ['result', 'switch:0', 'output'],
      ],
    },
    off: ['"method":"Switch.Set","params":{"id":0,"on":false}', { result: { was_on: true } }],
    on: ['"method":"Switch.Set","params":{"id":0,"on":true}', { result: { was_on: false } }],
  },
  tasmota: {
    kind: tasmota,
    options: { outlets: 2 },
    outlet: '1',
    answers: [
      ['cmnd=State ', { POWER1: 'ON', POWER2: 'OFF', Heap: 25, Wifi: { RSSI: 60 } }],
      ['cmnd=Status%2010 ', { StatusSNS: { ENERGY: { Power: [4, 0] }, DHT: { Humidity: 40 } } }],
    ],
    own: { 'cmnd=State ': [['POWER1']], 'cmnd=Status%2010 ': [] },
    off: ['cmnd=Power1%20OFF ', { POWER1: 'OFF' }],
    on: ['cmnd=Power1%20ON ', { POWER1: 'ON' }],
  },
};

const change = fc.record({
  at: fc.nat(),
  how: fc.constantFrom('delete', 'null', 'rename', 'retype', 'repeat', 'garbage'),
});

/** Every place in a value, as a path. */
function places(value: Json, path: string[] = []): string[][] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [
    [...path, key],
    ...places(inner, [...path, key]),
  ]);
}

/** A copy in which one place that does not belong to the outlet is changed. */
function changed(value: Json, own: string[][], { at, how }: { at: number; how: string }): Json {
  const copy: Json = structuredClone(value);
  const free = places(copy).filter(
    (place) => !own.some((each) => place.every((key, index) => each[index] === key)),
  );
  const place = free[at % Math.max(1, free.length)];
  if (place === undefined) return copy;
  const key = place.at(-1) ?? '';
  const parent = place
    .slice(0, -1)
    .reduce<Record<string, Json>>((node, step) => Object(node[step]), Object(copy));
  const old = parent[key];
  // An element before the outlet's own would be the outlet's own.
  if (Array.isArray(parent) && how !== 'repeat') parent[Number(key)] = how === 'null' ? null : 'x';
  else if (Array.isArray(parent)) parent.push(structuredClone(old));
  else if (how === 'null') parent[key] = null;
  else if (how === 'retype') parent[key] = typeof old === 'string' ? 7 : 'nan';
  else if (how === 'garbage') parent[key] = { unknown: [1, { deep: true }] };
  else if (how === 'repeat') parent[`${key}2`] = old;
  else {
    delete parent[key];
    if (how === 'rename') parent[`x${key}`] = old;
  }
  return copy;
}

async function serve({ kind, options, answers, off, on, own }: Model) {
  const received: string[] = [];
  let changes: { at: number; how: string }[] = [];
  const server = createServer(async (request, response) => {
    const asked = `${request.method} ${request.url} ${await text(request)}`;
    received.push(asked);
    const set = [off, on].find(([part]) => asked.includes(part));
    const id = Number(/"id":(\d+)/.exec(asked)?.[1]);
    if (set !== undefined) {
      response.end(JSON.stringify({ ...(id > 0 && { id }), ...Object(set[1]) }));
      return;
    }
    const [part, answer] = answers.find(([each]) => asked.includes(each.replace(/"id":1,/, ''))) ??
      answers.find(([each]) => each.includes('GetStatus') && asked.includes('GetStatus')) ?? [
        '',
        {},
      ];
    const numbered = id > 0 ? { ...Object(answer), id } : answer;
    const shown = changes.reduce((value, each) => changed(value, own[part] ?? [], each), numbered);
    response.end(JSON.stringify(shown));
  });
  const at = { host: '127.0.0.1', port: await listen(server) };
  const driver = openDriver(kind, { options, login: {}, ...placeOf(at) });
  const change = (all: typeof changes) => {
    changes = all;
    received.length = 0;
  };
  return { driver, received, change };
}

describe.each(Object.entries(models))('%s', (_name, model) => {
  it('is read and switched, whatever the rest of its answers is', async () => {
    const { driver, received, change: setChanges } = await serve(model);
    const { outlet } = model;
    const before = (await driver.read([outlet], patient())).get(outlet);

    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async (changes) => {
        setChanges(changes);
        expect((await driver.read([outlet], patient())).get(outlet)?.state).toBe('on');

        await driver.turnOn(outlet, before?.mode, patient(), before?.via);
        expect(received.some((asked) => asked.includes(model.on[0]))).toBe(true);
      }),
      runs(200),
    );
  });

  it('is turned on although nothing can be read, with and without a record', async () => {
    const {
      driver,
      received,
      change: setChanges,
    } = await serve({
      ...model,
      answers: [['', 'nothing']],
    });
    const { via } =
      (await serve(model).then(async (well) => {
        const readings = await well.driver.read([model.outlet], patient());
        return readings.get(model.outlet);
      })) ?? {};

    for (const known of [via, undefined]) {
      setChanges([]);
      await driver.turnOn(model.outlet, undefined, patient(), known).catch(() => undefined);
      const [wanted] = model.on;
      const isByName = wanted.replace('*1', 'ether1');
      expect(
        received.some((asked) => [wanted, isByName].some((each) => asked.includes(each))),
      ).toBe(true);
    }
  });
});
