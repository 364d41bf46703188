/**
 * A plug or relay board behind an MQTT broker, whose address is the device's. The defaults are Tasmota's topics.
 *
 *     plug-1: { model: mqtt-switch, address: 192.168.1.8, login: broker, topic: plug-1, outlets: 4,
 *               available: 'tele/{device}/LWT' }
 *     plug-2: { model: mqtt-switch, address: 192.168.1.8, login: broker, topic: plug-2, outlets: 1,
 *               command: 'cmnd/{device}/POWER', state: 'stat/{device}/POWER' }      # one relay is POWER, not POWER1
 *
 * Proven against: own simulator of a plug, which mosquitto_pub and mosquitto_sub (2.0.11) switch and hear, over mosquitto and
 * aedes as brokers. The brokers are somebody else's, the plug is ours, so it stays experimental. Hardware: none.
 *
 * Oddities. There is no answer that belongs to a request: what counts is a state told after the command was. A retained
 * command is carried out anew whenever the plug connects: ours never are, see transports/mqtt.ts; somebody else's would be,
 * `mosquitto_sub -t 'cmnd/#' --retained-only` shows them. A state topic that is the command's topic is refused: its own
 * commands would be its proof. With `available`, a plug that is gone is known at once; without, only after 5 s.
 */
import {
  answerMs,
  DeviceRefused,
  DeviceTimeout,
  type Exchange,
  type MqttVisit,
  visitBroker,
} from '@skolo/equipment';
import { z } from 'zod';
import type { Device } from '../device.ts';
import { outletName } from '../families/outlet-name.ts';
import { stateIn } from '../families/read-back.ts';
import type {
  DriverDeps,
  DriverKind,
  OutletReading,
  OutletState,
  PowerDriver,
} from '../outlets.ts';

export const outlets: DriverKind = { model: 'mqtt-switch', experimental: true, create };

const Options = z.object({
  topic: z.string(),
  command: z.string(),
  state: z.string(),
  onPayload: z.string(),
  offPayload: z.string(),
  queryPayload: z.string(),
  read: z.object({ on: z.string(), off: z.string() }),
  available: z.string().optional(),
});

/** Longer ones are no states. */
const longestState = 4096;

function create(device: Device, deps: DriverDeps): PowerDriver {
  const { name } = device;
  const { topic, command, state, onPayload, offPayload, queryPayload, read, available } =
    Options.parse(device.options);
  const fill = (template: string, outlet = '') =>
    template.replaceAll('{device}', topic).replaceAll('{outlet}', outlet);
  const watch = available === undefined ? undefined : { topic: fill(available), gone: isGone };

  function topicsOf(outlet: string): { ask: string; answer: string } {
    const checked = outletName(device, outlet);
    const topics = { ask: fill(command, checked), answer: fill(state, checked) };
    if (topics.ask !== topics.answer) return topics;
    throw new DeviceRefused(name, `${topics.ask} is topic of commands and of states in rack.yaml`);
  }

  /** A state told after `payload` was; only `wanted`, where it is given. */
  function exchange(outlet: string, payload: string, wanted?: OutletState): Exchange<OutletState> {
    const { ask, answer } = topicsOf(outlet);
    let other: string | undefined;
    return {
      topic: ask,
      payload,
      answerTopic: answer,
      parse(said) {
        const told = said.length > longestState ? undefined : stateIn(said, read);
        if (told !== undefined && told === (wanted ?? told)) return told;
        other = told ?? `what fits neither or both of \`read\` in rack.yaml`;
        return undefined;
      },
      late() {
        const after = `within ${answerMs / 1000} s after "${payload}" on ${ask}`;
        if (other === undefined) return new DeviceTimeout(name, `nothing on ${answer} ${after}`);
        return new DeviceRefused(name, `${answer} tells ${other} ${after}`);
      },
    };
  }

  async function visit<T>(
    outlets: readonly string[],
    signal: AbortSignal,
    work: (broker: MqttVisit) => Promise<T>,
  ): Promise<T> {
    const topics = [...new Set(outlets.map((outlet) => topicsOf(outlet).answer))];
    return await visitBroker(device, deps, { topics, watch }, signal, work);
  }

  async function tell(outlet: string, wanted: OutletState, signal: AbortSignal): Promise<void> {
    const payload = wanted === 'on' ? onPayload : offPayload;
    await visit([outlet], signal, (broker) => broker.ask(exchange(outlet, payload, wanted)));
  }

  return {
    readsAtOnce: 4,
    async read(outlets, signal) {
      const readings = new Map<string, OutletReading>();
      if (outlets.length === 0) return readings;
      return await visit(outlets, signal, async (broker) => {
        // One after the other: where two share a topic, an answer must not be taken for the other's.
        for (const outlet of outlets) {
          readings.set(outlet, { state: await broker.ask(exchange(outlet, queryPayload)) });
        }
        return readings;
      });
    },
    turnOff: (outlet, signal) => tell(outlet, 'off', signal),
    turnOn: (outlet, _mode, signal) => tell(outlet, 'on', signal),
    close: async () => {},
  };
}

/** Tasmota and ESPHome say offline, zigbee2mqtt `{"state":"offline"}`, Shelly false, Homie lost or disconnected. */
function isGone(payload: string): boolean {
  return /\b(offline|false|lost|disconnected)\b/i.test(payload);
}
