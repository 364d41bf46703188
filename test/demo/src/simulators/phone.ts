/** The phone of the machine whose agent runs here, behind the real adb client; and the USB hub that powers it. */
import { delimiter } from 'node:path';
import { raspberryPi4, startAdbServer, startPrograms, uhubctl } from '@skolo/simulators';
import { type AgentComputer, agentMachine } from '../agent-computer.ts';
import { startControlServer } from './control-server.ts';
import type { Simulator, SimulatorNeeds } from './simulator.ts';

const controlPort = 8092;
/** As in racks/demo. */
const usbPort = 'usb/1-1.2';
/** Faster than a real one, so that it can be watched. */
const chargeEveryMs = 1000;
const chargePercent = 2;
const fullPercent = 90;
/** Older requests are not kept: the demo does not read them. */
const mostReceived = 100;

export async function startPhone(
  computer: AgentComputer,
  { host }: SimulatorNeeds,
): Promise<Simulator> {
  const serial = '0A1B2C3D';
  const adb = await startAdbServer({
    phones: [{ serial, model: 'pixel-5', usb: '1-1.2', rebootMs: 3000, settleMs: 1000 }],
  });
  const phone = adb.phone(serial);
  // Instead of this computer's: a demo must not turn off the power of a real hub.
  const programs = await startPrograms({
    uhubctl(args) {
      const { machine } = computer;
      if (machine === undefined) return { stderr: 'no hub is simulated\n', status: 1 };
      const { usb: board, phones } = machine;
      return uhubctl([...args], { hubs: [raspberryPi4], board, phones, isRoot: true, obeys: true });
    },
  });
  // With an address, adb does not start its own server when this one is gone.
  computer.set('ADB_SERVER_SOCKET', `tcp:127.0.0.1:${adb.port}`);
  computer.set('PATH', [programs.folder, process.env.PATH ?? ''].join(delimiter));

  const forget = computer.onPower(() => {
    if (!computer.isOn(usbPort)) phone.unplug(computer.hasPower(usbPort));
    else if (phone.isPresent()) return;
    else if (phone.connectedAtMillis > 0) phone.plugIn();
    else phone.reboot();
  });
  const charging = setInterval(() => {
    for (const received of [adb.received, phone.received, programs.received]) {
      received.splice(0, received.length - mostReceived);
    }
    if (phone.isPresent() && phone.battery.level < fullPercent) {
      phone.battery.level = Math.min(fullPercent, phone.battery.level + chargePercent);
    }
  }, chargeEveryMs);
  charging.unref();

  const control = await startControlServer(host, controlPort, {
    'POST /battery'(percent) {
      phone.battery.level = Math.min(100, percent);
      return `the battery of the phone is at ${phone.battery.level}%; it charges ${chargePercent}% a second`;
    },
  });
  return {
    name: 'Android phone',
    url: `adb server at port ${adb.port} of 127.0.0.1`,
    suggestions: [
      {
        text: `Empty the battery of the phone of ${agentMachine}: it takes no tasks until it is charged:`,
        commands: [`curl -X POST ${control.url}/battery/5`],
      },
    ],
    follow: async () => undefined,
    async close() {
      forget();
      clearInterval(charging);
      await control.close();
      await programs.close();
      await adb.close();
    },
  };
}
