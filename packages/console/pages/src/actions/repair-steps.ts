/** Lists repair steps of a machine's devices, each with what it interrupts. */
import type { Machine, RackView } from '@skolo/api/machine-state';

export interface RepairChoice {
  device: string;
  step: string;
  /** The effect, for the person who decides. */
  effect: string;
}

export function repairChoices(machine: Machine, rack: RackView | undefined): RepairChoice[] {
  return machine.devices.flatMap(({ name: device, repairSteps = [] }) =>
    repairSteps.map((step) => ({ device, step, effect: effectOf(step, device, machine, rack) })),
  );
}

function effectOf(
  step: string,
  device: string,
  machine: Machine,
  rack: RackView | undefined,
): string {
  const others = machine.devices.map(({ name }) => name).filter((name) => name !== device);
  switch (step) {
    case 'adb-reconnect':
      return `The adb server reconnects to ${device}. Nothing else is affected.`;
    case 'adb-restart':
      return `The machine's adb server restarts, which disconnects ${[device, ...others].join(', ')} for a few seconds.`;
    case 'device-reboot':
      return `${device} reboots.`;
    case 'usb-cycle':
      return `The USB port of ${device} loses power for a few seconds.`;
    case 'power-cycle': {
      const also = fedWith([`${machine.name}-${device}`], rack);
      const text = `The power-cycle daemon turns the outlet of ${device} off and on again.`;
      return also.length > 0 ? `${text} This also cuts power to ${also.join(', ')}.` : text;
    }
    default:
      return `The agent performs ${step} on ${device}.`;
  }
}

/** What else hangs on the outlets of machines or devices. */
export function fedWith(targets: readonly string[], rack: RackView | undefined): string[] {
  const all = (rack?.equipment ?? []).flatMap(({ ports }) => ports.map(({ powers }) => powers));
  const fed = all.filter((powers) => powers.some((each) => targets.includes(each)));
  return [...new Set(fed.flat())].filter((each) => !targets.includes(each));
}
