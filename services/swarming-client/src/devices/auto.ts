/**
 * A device whose kind rack.yaml leaves open: what is attached is detected, shown, and proposed for rack.yaml.
 *
 * rack.yaml: `device: {}` or `device: { kind: auto }`. The detected kind is kept while it is missing: a phone that is offline is an Android
 * phone that is offline. Only a device of another kind replaces it.
 */
import { candidates, createAdb, isSamePhone, noCandidate, ofAdb } from './adb.ts';
import type { AttachedDevice, Device, DeviceDeps, DeviceKind, Look } from './device.ts';
import { isSameUdid, listIos } from './ios.ts';
import { listing, Missing, retried, WrongEntry } from './look.ts';
import { readAssignments } from './parse/text.ts';
import { isProbe, isSameProbe } from './pyocd.ts';
import { createSsh } from './ssh.ts';
import { listUsb, type UsbDevice } from './usb.ts';

type FoundKind = Exclude<DeviceKind, 'auto' | 'none'>;

const apple = '05ac';
const names: Readonly<Record<FoundKind, string>> = {
  android: 'an Android device',
  ios: 'an iOS device',
  chromeos: 'a Chromebook',
  linux: 'a computer with Linux',
  pyocd: 'a debug probe',
};

export function auto(
  device: AttachedDevice,
  deps: DeviceDeps,
  open: (kind: FoundKind) => Device,
): Device {
  let known: { kind: FoundKind; device: Device } | undefined;

  async function search(signal: AbortSignal): Promise<FoundKind> {
    const usb = await listUsb(deps.sysfs);
    const kinds =
      device.address === undefined
        ? await attachedKinds(device, deps, usb, signal)
        : await networkKinds(device, deps, signal);
    const [kind, other] = kinds;
    if (kind === undefined) throw new Missing(nothingFound(usb, device.serial));
    if (other === undefined) return kind;
    throw new WrongEntry(
      `${kinds.map((one) => names[one]).join(' and ')} are attached; set \`kind\` and \`serial\` in rack.yaml to select one`,
    );
  }

  async function read(signal: AbortSignal): Promise<Look> {
    const first = await known?.device.read(signal);
    if (first !== undefined && first.state !== 'missing') return ofKind(first);
    const kind = await search(signal).catch((error: unknown) => {
      signal.throwIfAborted();
      if (known === undefined) throw error;
      return known.kind;
    });
    if (first !== undefined && kind === known?.kind) return first;
    known = { kind, device: open(kind) };
    const look = await known.device.read(signal);
    if (look.state === 'present') propose(kind, look.reading.serial);
    return ofKind(look);
  }

  function ofKind(look: Look): Look {
    if (look.state !== 'present') return look;
    return { ...look, reading: { ...look.reading, kind: known?.kind } };
  }

  function propose(kind: FoundKind, serial: string | undefined): void {
    const more =
      device.address === undefined ? serial && `serial: ${serial}` : `address: ${device.address}`;
    const entry = [`kind: ${kind}`, ...(more ? [more] : [])].join(', ');
    deps.log.info(
      { device: device.fullName, kind, serial, proposal: `device: { ${entry} }` },
      `found ${names[kind]}; set kind: ${kind} for it in rack.yaml`,
    );
  }

  return {
    read: retried(read),
    get repairs() {
      // While the server is wedged, phones cannot be detected.
      return known?.device.repairs ?? { 'adb-restart': (signal) => deps.adb.restart(signal) };
    },
    async writeEvidence(folder, signal) {
      return (await known?.device.writeEvidence?.(folder, signal)) ?? [];
    },
    get writeScreen() {
      return known?.device.writeScreen;
    },
  };
}

async function attachedKinds(
  device: AttachedDevice,
  deps: DeviceDeps,
  usb: readonly UsbDevice[],
  signal: AbortSignal,
): Promise<FoundKind[]> {
  const { serial } = device;
  let notMeant: Missing | undefined;
  async function listAndroid(): Promise<string[]> {
    await listing(signal, () => deps.adb.ensure(signal));
    const listed = await createAdb(deps).devices(signal);
    const found = candidates(device, listed);
    if (listed.length > found.length) notMeant = noCandidate(device, listed);
    return found.map((phone) => phone.serial);
  }
  const lists = await Promise.allSettled([listAndroid(), listIos(deps, signal)]);
  signal.throwIfAborted();
  const [phones = [], udids = []] = lists.map((list) =>
    list.status === 'fulfilled' ? list.value : [],
  );
  const probes = usb.filter(isProbe).map((probe) => probe.serial ?? '');
  const found: [FoundKind, string[], (one: string, other: string) => boolean][] = [
    ['android', phones, isSamePhone],
    ['ios', udids, isSameUdid],
    ['pyocd', probes, isSameProbe],
  ];
  const kinds = found
    .filter(([, all, isSame]) => all.some((one) => serial === undefined || isSame(one, serial)))
    .map(([kind]) => kind);
  // Nothing was found, but the list that counts failed: that of phones, unless USB shows an Apple device.
  const [ofPhones, ofApple] = lists;
  const decisive = usb.some(({ vendor }) => vendor === apple) ? ofApple : ofPhones;
  // Nor is something else meant while a phone that USB shows cannot be listed.
  const isHidden = serial === undefined && usb.some((one) => one.interfaces.includes(ofAdb));
  if (isHidden && ofPhones.status === 'rejected') throw ofPhones.reason;
  if (kinds.length === 0 && decisive.status === 'rejected') throw decisive.reason;
  if (kinds.length === 0 && notMeant !== undefined) throw notMeant;
  return kinds;
}

async function networkKinds(
  device: AttachedDevice,
  deps: DeviceDeps,
  signal: AbortSignal,
): Promise<FoundKind[]> {
  const text = await createSsh(device, deps).do(
    'cat /etc/lsb-release /etc/os-release; true',
    signal,
  );
  return [readAssignments(text).has('CHROMEOS_RELEASE_VERSION') ? 'chromeos' : 'linux'];
}

function nothingFound(attached: readonly UsbDevice[], serial: string | undefined): string {
  const usb = attached.filter(
    (one) => serial === undefined || one.serial === undefined || isSameUdid(one.serial, serial),
  );
  if (usb.some(({ vendor }) => vendor === apple)) {
    return 'an Apple device is connected over USB, but no tool lists it; check that libimobiledevice-utils is installed and usbmuxd is running';
  }
  if (usb.some(({ interfaces }) => interfaces.includes('ff/42/03'))) {
    return 'a phone in bootloader mode (fastboot) is connected over USB; restart it with `fastboot reboot`';
  }
  if (usb.some(({ interfaces }) => interfaces.includes(ofAdb))) {
    return 'a phone is connected over USB, but adb does not list it; check that adb is installed';
  }
  const which = serial === undefined ? '' : ` with the serial number ${serial}`;
  return `no supported device${which} is attached: adb, idevice_id and USB do not list one`;
}
