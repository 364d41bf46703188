/** Tasmota commands over HTTP. The password is part of the URL. */

import {
  DeviceBusy,
  DeviceRejected,
  httpTo,
  readJson,
  SignInRejected,
  withAnyOf,
} from '@skolo/equipment/transports';
import { z } from 'zod';
import type { Device } from '../contract/device.ts';
import {
  CannotCycle,
  type DriverDeps,
  driverKind,
  type OutletDriver,
  type OutletState,
} from '../contract/outlets.ts';
import { checkCount, outletCount } from '../families/outlet-count.ts';
import { ifSupported } from '../families/unneeded.ts';

const Answer = z.record(z.string(), z.unknown());
type Answer = z.infer<typeof Answer>;

type RunTasmota = (command: string, signal: AbortSignal) => Promise<Answer>;

function tasmota(device: Device, deps: DriverDeps): RunTasmota {
  const { name } = device;
  const send = httpTo(device, deps, { signIn: 'by-driver' });
  return async (command, signal) =>
    await withAnyOf(await deps.credentials(), async ({ username = 'admin', password }) => {
      const query = new URLSearchParams({ cmnd: command });
      if (password !== undefined) {
        query.set('user', username);
        query.set('password', password.reveal());
      }
      // Its web server decodes %20; "+" only in newer versions.
      const path = `/cm?${query.toString().replaceAll('+', '%20')}`;
      const { body } = await send({ path }, signal);
      const answer = readJson(name, body, Answer, `the result of ${command}`);
      if (/\buser=/.test(String(answer.WARNING ?? ''))) {
        const what = password === undefined ? 'requires a password' : 'rejects the password';
        throw new SignInRejected(name, what);
      }
      if ('Command' in answer) throw new DeviceRejected(name, `does not support ${command}`);
      return answer;
    });
}

/**
 * Plug or board with Tasmota firmware, over HTTP.
 *
 *     plug-1: { model: tasmota, address: 192.168.1.31, outlets: 2, login: plugs }
 *
 * Verified with: our simulator, to which pdudaemon's driver (0.0.8) spoke `Power2 off` in a test. Its other commands:
 * written from the firmware's source (support_command.ino), spoken by nobody else.
 *
 * Quirks. The password is part of the URL. An unauthenticated client gets a WARNING, by older firmware with status 200. One
 * relay alone is called POWER, or POWER1 with SetOption26. `Power` with index 0 hits all relays and one without an index the
 * first: relays are always written, from checked numbers. A `Backlog` is answered before it is carried out, with nothing.
 * There is one for all relays: a second cycle would wait behind the first, unseen, so it is rejected as busy. With a
 * `PulseTime` a relay goes off again by itself after it was turned on: then it is not cycled by the plug. `PowerOnState` has one
 * value for all relays; 0 and 2 leave those off that were on before a power failure. With `Interlock`, a relay that is turned on turns the
 * others of its group off. `StateText1` and `StateText2` are the words for off and on in its answers, even those for `Interlock`; commands
 * are always understood as ON and OFF.
 */
export const outlets = driverKind({ model: 'tasmota', automaticRepair: false, create });

/** What the firmware's words mean. */
type Words = ReadonlyMap<unknown, OutletState>;

const Energy = z.object({
  StatusSNS: z.object({
    ENERGY: z.object({ Power: z.union([z.number(), z.array(z.number())]) }),
  }),
});
/** `{"Set":0,"Remaining":0}`, or `0 (Active 0)` of firmware before 6. */
const PulseTime = z.union([z.object({ Set: z.number() }), z.string().regex(/^\d+\b/)]);

const Firmware = z.object({
  StatusFWR: z.object({ Version: z.string(), Hardware: z.string().optional() }),
});
/** With these values of PowerOnState, relays that are on stay off after a power failure. */
const stayOff = new Map([
  [0, 'PowerOnState is 0 (off)'],
  [2, 'PowerOnState is 2 (toggle)'],
]);

function create(device: Device, deps: DriverDeps): OutletDriver<number> {
  const { name } = device;
  const run = tasmota(device, deps);
  const isAlone = outletCount(device) === 1;
  const wordsFor = stateWords(run);

  /** The relay's own key, never another relay's. */
  function wordIn(answer: Answer, relay: number): unknown {
    return answer[`POWER${relay}`] ?? (isAlone ? answer.POWER : undefined);
  }

  async function turn(relay: number, state: OutletState, signal: AbortSignal): Promise<void> {
    const wanted = state === 'on' ? 'ON' : 'OFF';
    const word = wordIn(await run(`Power${relay} ${wanted}`, signal), relay);
    if ((await wordsFor([word], signal)).get(word) === state) return;
    throw new DeviceRejected(
      name,
      `the response does not confirm that relay ${relay} is ${wanted}`,
    );
  }

  async function cycle(relay: number, offSeconds: number, signal: AbortSignal): Promise<void> {
    const tenths = Math.round(offSeconds * 10);
    const pulseTime = await run(`PulseTime${relay}`, signal);
    const { data } = PulseTime.safeParse(pulseTime[`PulseTime${relay}`]);
    if (data === undefined) throw new DeviceRejected(name, `does not report PulseTime${relay}`);
    const pulse = typeof data === 'string' ? Number.parseFloat(data) : data.Set;
    if (pulse !== 0) {
      const what = `relay ${relay} would turn off again because PulseTime${relay} is ${pulse}; set it to 0`;
      throw new CannotCycle(name, what);
    }
    const { Delay: left } = await run('Delay', signal);
    if (typeof left !== 'number') throw new DeviceRejected(name, 'does not report Delay');
    if (left > 0) throw new DeviceBusy(name, 'is busy with another Backlog command');
    await run(`Backlog Power${relay} OFF; Delay ${tenths}; Power${relay} ON`, signal);
  }

  return {
    key: Number,
    async read(relays, signal) {
      const states = await run('State', signal);
      // Sensors may report what is not JSON: `nan`.
      const watts = wattsIn(await ifSupported(run('Status 10', signal)), relaysIn(states));
      const known = await wordsFor(
        relays.map((relay) => wordIn(states, relay)),
        signal,
      );
      return (relay) => ({
        state: known.get(wordIn(states, relay)) ?? 'unknown',
        watts: watts?.[relay - 1],
      });
    },
    set: turn,
    async report(_relays, signal) {
      const { PowerOnState } = await run('PowerOnState', signal);
      const { StatusFWR: firmware } = Firmware.safeParse(await run('Status 2', signal)).data ?? {};
      checkCount(device, relaysIn(await run('State', signal)), 'relay');
      const { Interlock, Groups } = (await ifSupported(run('Interlock', signal))) ?? {};
      const staysOff = stayOff.get(Number(PowerOnState));
      return {
        hardware: firmware?.Hardware,
        firmware: firmware?.Version,
        linked:
          (await wordsFor([Interlock], signal)).get(Interlock) === 'on'
            ? `Interlock is ON for relays ${Groups}`
            : undefined,
        of: () => ({ staysOff }),
      };
    },
    // Delay takes up to 3600 tenths of a second.
    cycle: { offSeconds: { least: 1, most: 360 }, run: cycle },
  };
}

/** Returns the words for these answers. They are read first, and again when another one appears. */
function stateWords(run: RunTasmota) {
  let words: Words = new Map();
  return async (answers: readonly unknown[], signal: AbortSignal): Promise<Words> => {
    const isKnown = (answer: unknown) => answer === undefined || words.has(answer);
    if (words.size > 0 && answers.every(isKnown)) return words;
    const text = async (key: string) => (await ifSupported(run(key, signal)))?.[key];
    const [off = 'OFF', on = 'ON'] = [await text('StateText1'), await text('StateText2')];
    // One word for both says nothing.
    words = new Map(off === on ? [] : [[off, 'off'] as const, [on, 'on'] as const]);
    return words;
  };
}

function relaysIn(states: Answer): number {
  return Object.keys(states).filter((key) => /^POWER\d*$/.test(key)).length;
}

/** For each relay; undefined if it measures nothing, or only the total. */
function wattsIn(status: unknown, relays: number): readonly number[] | undefined {
  const power = Energy.safeParse(status).data?.StatusSNS.ENERGY.Power;
  const each = typeof power === 'number' ? [power] : power;
  return each?.length === relays ? each : undefined;
}
