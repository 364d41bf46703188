/** Devices that take commands, and never answer a reading: turning on is sent all the same, 5 s later at most. */
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { listen } from '@skolo/base/testing';
import { expect, it, onTestFinished, vi } from 'vitest';
import { outlets as redfish } from './redfish/redfish.ts';
import { outlets as routeros } from './routeros/outlets.ts';
import { placeOf } from './testing/http.ts';
import { openDriver, patient } from './testing/outlets.ts';

/** A server that answers what `answer` has an answer for. `silent`: the first request without one has arrived. */
async function start(answer: (asked: string) => object | undefined) {
  const commands: string[] = [];
  const { promise: silent, resolve } = Promise.withResolvers<void>();
  const server = createServer(async (request, response) => {
    const asked = `${request.method} ${request.url} ${await text(request)}`.trim();
    if (request.method !== 'GET') commands.push(asked);
    const said = answer(asked);
    if (said === undefined) resolve();
    else response.end(JSON.stringify(said));
  });
  return { commands, silent, place: placeOf({ host: '127.0.0.1', port: await listen(server) }) };
}

const reset = 'POST /redfish/v1/Systems/1/Actions/ComputerSystem.Reset {"ResetType":"On"}';
const info = '/redfish/v1/Systems/1/ResetActionInfo';
const action = { target: '/redfish/v1/reset', '@Redfish.ActionInfo': info };
const system = { Id: '1', PowerState: 'Off', Actions: { '#ComputerSystem.Reset': action } };
const patched = { name: 'ether1', 'poe-out': 'auto-on' };

it.each([
  ['a BMC', redfish, '1', { POST: {} }, reset],
  [
    'a BMC that reports its actions, but not their values',
    redfish,
    '1',
    { POST: {}, 'GET /redfish/v1/Systems/1': system },
    'POST /redfish/v1/reset {"ResetType":"On"}',
  ],
  [
    'a RouterOS',
    routeros,
    'ether1',
    { PATCH: patched },
    'PATCH /rest/interface/ethernet/poe/ether1 {"poe-out":"auto-on"}',
  ],
])('%s', async (_what, kind, outlet, answers: Record<string, object>, command) => {
  const { commands, silent, place } = await start((asked) => {
    return answers[asked] ?? answers[asked.split(' ')[0] ?? ''];
  });
  const options = kind === redfish ? { https: false } : { https: false, portCount: 3 };
  const login = { username: 'root', password: 'calvin' };
  const driver = openDriver(kind, { ...place, transport: 'http', options, login });
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());

  const turnedOn = driver.turnOn(outlet, {}, patient());
  await silent;
  const before = [...commands];
  await vi.advanceTimersByTimeAsync(5000);
  await turnedOn;

  expect([before, commands]).toEqual([[], [command]]);
});
