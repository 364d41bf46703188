/** What a Raspberry Pi that runs has to be: what the first start of a card makes it. */
import type { Guard, Step } from '@skolo/jumphost';
import type { PiSetup } from '../setup.ts';
import { clockStep, systemStep } from './facts.ts';
import { firmwareStep, type RestartNeeds, restartStep } from './firmware.ts';
import { placeStep, sshStep, userStep } from './person.ts';
import {
  dnsStep,
  hostsStep,
  journalStep,
  nameStep,
  swapStep,
  timeStep,
  watchdogStep,
} from './settings.ts';
import { wifiStep } from './wifi.ts';

export interface SetupNeeds extends RestartNeeds {
  /** Its address stays as it is. `wifi: 'off'` leaves its Wi-Fi as it is; no name servers leave its own. */
  setup: PiSetup;
  guard: Guard;
  /** Of this desk, in milliseconds since 1970. */
  now(): number;
}

/** In their order: the clock comes before what may fetch something. */
export function setupSteps(needs: SetupNeeds): Step[] {
  const { setup, guard } = needs;
  return [
    systemStep(),
    clockStep(needs.now),
    hostsStep(setup),
    nameStep(setup),
    userStep(setup),
    placeStep(setup),
    swapStep(),
    journalStep(),
    watchdogStep(),
    timeStep(setup),
    ...(setup.nameServers.length > 0 ? [dnsStep(setup)] : []),
    firmwareStep(setup),
    ...(setup.wifi === 'off' ? [] : [wifiStep(setup, guard)]),
    sshStep(guard),
    restartStep(needs),
  ];
}
