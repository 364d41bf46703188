/**
 * A plug or relay board behind an MQTT broker, whose address is the device's. The defaults are Tasmota's topics.
 *
 *     plug-1: { model: mqtt-switch, address: 192.168.1.8, login: broker, topic: plug-1, outlets: 4,
 *               available: 'tele/{device}/LWT' }
 *     plug-2: { model: mqtt-switch, address: 192.168.1.8, login: broker, topic: plug-2, outlets: 1,
 *               command: 'cmnd/{device}/POWER', state: 'stat/{device}/POWER' }      # one relay is POWER, not POWER1
 *
 * Verified with: our simulator of a plug, which mosquitto_pub and mosquitto_sub (2.0.11) switch and read, over mosquitto and
 * aedes as brokers. The brokers are somebody else's, but the plug is ours, so automatic repair does not use it.
 *
 * Quirks. There is no answer that belongs to a request: what counts is a state that came after the command. A retained
 * command is carried out again whenever the plug connects: ours never are, see transports/mqtt.ts; somebody else's would be,
 * `mosquitto_sub -t 'cmnd/#' --retained-only` shows them. A state topic that is the command's topic is rejected: its own
 * commands would count as its states. With `available`, a plug that is gone is known at once; without, only after 5 s.
 */

import { SlowExpression, sharingTime } from '@skolo/base/described-expression';
import {
  answerMs,
  DeviceRejected,
  DeviceTimeout,
  type Exchange,
  type MqttVisit,
  visitBroker,
} from '@skolo/equipment/transports';
import { z } from 'zod';
import type { Device } from '../contract/device.ts';
import {
  type DriverDeps,
  driverKind,
  type OutletDriver,
  type OutletReading,
  type OutletState,
  oneByOne,
} from '../contract/outlets.ts';
import { fillOutlet } from '../families/described-facts.ts';
import { stateIn, whereDescribed } from '../families/on-off-patterns.ts';
import { mqttSwitch } from './facts.ts';

export const outlets = driverKind({ model: 'mqtt-switch', automaticRepair: false, create });

/** Longer messages are not states. */
const longestState = 4096;
/** CPU time of the regular expressions for all messages of a connection, in milliseconds: many may arrive in one turn of the event loop. */
const mostSearchMs = 50;

function create(device: Device, deps: DriverDeps): OutletDriver<Topics> {
  const { name } = device;
  const { topic, command, state, onPayload, offPayload, queryPayload, read, available } = z
    .object(mqttSwitch.options)
    .parse(device.options);
  const fill = (template: string, outlet = '') =>
    fillOutlet(template.replaceAll('{device}', topic), outlet);
  const watch = available === undefined ? undefined : { topic: fill(available), gone: isGone };

  function topicsOf(outlet: string): Topics {
    const topics = { ask: fill(command, outlet), answer: fill(state, outlet) };
    if (topics.ask !== topics.answer) return topics;
    const what = `${topics.ask} is both the command topic and the state topic`;
    throw new DeviceRejected(name, `in ${whereDescribed(device)}, ${what}`);
  }

  /** A state that arrived after `payload` was sent; only `wanted`, if given. */
  function exchange(
    { ask, answer }: Topics,
    payload: string,
    wanted?: OutletState,
  ): Exchange<OutletState> {
    let other: string | undefined;
    return {
      topic: ask,
      payload,
      answerTopic: answer,
      parse(text) {
        const { state, why = `"${state}"` } = reportIn(text, device, read);
        if (state !== undefined && state === (wanted ?? state)) return state;
        other = why;
        return undefined;
      },
      late() {
        const after = `within ${answerMs / 1000} s after "${payload}" was sent to ${ask}`;
        if (other === undefined) return new DeviceTimeout(name, `no message on ${answer} ${after}`);
        return new DeviceRejected(name, `${answer} reported ${other} ${after}`);
      },
    };
  }

  async function visit<T>(
    all: readonly Topics[],
    signal: AbortSignal,
    work: (broker: MqttVisit) => Promise<T>,
  ): Promise<T> {
    const topics = [...new Set(all.map(({ answer }) => answer))];
    return await sharingTime({ leftMs: mostSearchMs }, () =>
      visitBroker(device, deps, { topics, watch }, signal, work),
    );
  }

  /** One at a time: if two share a topic, one's answer must not be taken for the other's. */
  function readingsFrom(broker: MqttVisit) {
    let isAlive = false;
    return oneByOne(async (topics: Topics): Promise<OutletReading> => {
      try {
        const state = await broker.ask(exchange(topics, queryPayload));
        isAlive = true;
        return { state };
      } catch (error) {
        if (isAlive && error instanceof DeviceTimeout) return { state: 'unknown' };
        throw error;
      }
    });
  }

  return {
    key: topicsOf,
    readsAtOnce: 4,
    read: (all, signal) => visit(all, signal, (broker) => readingsFrom(broker)(all, signal)),
    async set(topics, wanted, signal) {
      const payload = wanted === 'on' ? onPayload : offPayload;
      await visit([topics], signal, (broker) => broker.ask(exchange(topics, payload, wanted)));
    },
  };
}

interface Topics {
  ask: string;
  answer: string;
}

/** The state that a message reports, or why it reports none. */
function reportIn(
  text: string,
  device: Device,
  read: Parameters<typeof stateIn>[1],
): { state?: OutletState; why?: string } {
  try {
    const state = text.length > longestState ? undefined : stateIn(text, read);
    if (state !== undefined) return { state };
    const expressions = `\`read.on\` and \`read.off\` in ${whereDescribed(device)}`;
    return { why: `a state that matches both or neither of ${expressions}` };
  } catch (error) {
    if (!(error instanceof SlowExpression)) throw error;
    return { why: `messages for which ${error.message}` };
  }
}

/** Tasmota and ESPHome say offline, zigbee2mqtt `{"state":"offline"}`, Shelly false, Homie lost or disconnected. */
function isGone(payload: string): boolean {
  return /\b(offline|false|lost|disconnected)\b/i.test(payload);
}
