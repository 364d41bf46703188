/**
 * Ubiquiti EdgeSwitch: Fastpath's command line over ssh and, where it is switched on, telnet. There is no exec channel,
 * and no exit status: a client that signed out sees its connection closed.
 *
 * Sources: Ubiquiti's EdgeSwitch command reference; recorded sessions of users; Oxidized's model `edgeswitch`. How a
 * sixth session is turned away is not documented; here its connection is closed without a word.
 *
 * No recording: its state matters, because ports are switched, and its configuration is changed, saved and put back.
 */
import type { ConfiguredDevice } from '../../core.ts';
import type { SwitchModel, SwitchOptions } from '../../switch/model.ts';
import { startSwitch } from '../../switch/switch.ts';
import { type FastpathOptions, factoryName, fastpath } from './fastpath.ts';

export interface EdgeSwitchOptions
  extends SwitchOptions,
    Pick<FastpathOptions, 'consumedMeter' | 'detectionSeconds'> {
  /** Ports with PoE, of each member of a stack; 24 when absent. */
  ports?: number;
  /** Members of the stack: its ports are then `1/0/1` and so on. */
  stack?: number;
  /** The name in the prompt, where the configuration has no `hostname`; `UBNT EdgeSwitch` when absent. */
  name?: string;
  /** What each plugged-in machine draws; 4.5 when absent. */
  watts?: number;
}

function modelFor(options: EdgeSwitchOptions): SwitchModel {
  const { ports: count = 24, stack, name = factoryName, watts = 4.5 } = options;
  const slots = stack === undefined ? ['0'] : Array.from({ length: stack }, (_, i) => `${i + 1}/0`);
  const ports = slots.flatMap((slot) =>
    Array.from({ length: count }, (_, i) => `${slot}/${i + 1}`),
  );
  return {
    ...fastpath({ ...options, ports, watts, hostName: name }),
    signIn: ['publickey', 'password', 'keyboard-interactive'],
    words: {
      before: `\n(${name})\n`,
      user: 'User:',
      password: 'Password:',
      wrong: '\nIncorrect login/password! Login Failed.\n',
      hidden: 'stars',
    },
    screen: (pty) => ({ width: pty?.cols ?? 0 }),
  };
}

export function startEdgeSwitch(options: EdgeSwitchOptions): Promise<ConfiguredDevice> {
  const { configuration: _, ...rest } = options;
  return startSwitch(modelFor(options), rest);
}
