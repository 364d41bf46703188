/** Configures a running Raspberry Pi like the first boot of an SD card does. */

import type { Rack } from '@skolo/rack';
import {
  journalStep,
  nameStep,
  packagesStep,
  sshStep,
  clockStep as timeServerStep,
} from '@skolo/setup/debian';
import type { Guard, Step } from '@skolo/setup/engine';
import type { PiSetup } from '../setup.ts';
import { clockStep, systemStep } from './facts.ts';
import { firmwareStep, type RestartNeeds, restartStep } from './firmware.ts';
import { passwordsOff, placeStep, userStep } from './person.ts';
import { routerSteps } from './router.ts';
import { dnsStep, hostsStep, swapStep, timeStep, watchdogStep } from './settings.ts';
import { wifiStep } from './wifi.ts';

interface SetupNeeds extends RestartNeeds {
  /** Its address is not changed. With `wifi: 'off'`, its Wi-Fi is not changed; without name servers, its own stay. */
  setup: PiSetup;
  guard: Guard;
  /** rack.yaml, if this Pi is its jumphost. */
  master?: Rack;
  /** Of this workstation, in milliseconds since 1970. */
  now(): number;
}

/** In order: the clock is set before anything is downloaded. */
export function setupSteps(needs: SetupNeeds): Step[] {
  const { setup, guard } = needs;
  return [
    systemStep(),
    clockStep(needs.now),
    nameStep(setup.identity.hostname),
    hostsStep(setup),
    userStep(setup),
    placeStep(setup),
    swapStep(),
    // The master is a jumphost, whose log `skolo jumphost prepare` keeps.
    journalStep(needs.master === undefined ? 'memory' : 'disk'),
    watchdogStep(),
    timeStep(setup),
    ...(setup.nameServers.length > 0 ? [dnsStep(setup)] : []),
    firmwareStep(setup),
    ...(setup.wifi === 'off' ? [] : [wifiStep(setup, setup.wifi, guard)]),
    sshStep(guard, {
      verify: passwordsOff,
      // The master is a jumphost. On others, root cannot sign in, unless skolo has signed in as root, because sudo logs the user.
      rootLogin: async (host) =>
        needs.master !== undefined || (await host.need('echo "$SUDO_USER"')).trim() === ''
          ? 'prohibit-password'
          : 'no',
    }),
    ...(needs.master === undefined ? [] : masterSteps(needs.master, guard)),
    restartStep(needs),
  ];
}

/** It serves time to the rack, and with `uplink: internet`, routes it to the internet. */
function masterSteps(rack: Rack, guard: Guard): Step[] {
  const { subnet } = rack.network;
  return [
    ...(subnet === undefined
      ? []
      : [
          { ...packagesStep(['chrony']), name: 'chrony' },
          { ...timeServerStep({ subnet, isPod: false }), name: 'time-server' },
        ]),
    ...(rack.jumphost.uplink === 'internet' ? routerSteps(rack, guard) : []),
  ];
}
