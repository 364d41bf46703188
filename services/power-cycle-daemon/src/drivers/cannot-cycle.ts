import { DeviceRefused } from '@skolo/equipment';

/**
 * The device does not cycle this outlet by itself, and nothing of the kind was told to it, or it said no in so many words.
 * The only failure of a device's own cycle after which somebody else may turn the outlet off and on: after any other, it
 * may have been carried out.
 */
export class CannotCycle extends DeviceRefused {}

/** What is refused here is refused before anything was done, or in so many words. */
export async function orCannotCycle<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof DeviceRefused)) throw error;
    const { device, message } = error;
    throw new CannotCycle(device, message.slice(`${device}: `.length), { cause: error });
  }
}
