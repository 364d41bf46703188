/** A machine's image: a base with changed files on its boot partition. */

import { sha256 } from '@skolo/base';
import type { TextFile } from '@skolo/setup/engine';
import { cloudInitFiles } from '../boot/cloud-init.ts';
import {
  type CmdlineEdit,
  cmdlineValue,
  editCmdline,
  lastingEdit,
  wordsOf,
} from '../boot/cmdline.ts';
import { cmdlinePath, editConfigTxt, noWifiLine, watchdogLine } from '../boot/config-txt.ts';
import type { Method } from '../boot/customization.ts';
import { debianFiles, debianSteps } from '../boot/debian.ts';
import { commonFiles, enrolUnits } from '../boot/enrol.ts';
import { firstRunFiles, firstRunWords, raspberryPiSteps } from '../boot/firstrun.ts';
import { netplanOf, networkManagerFiles } from '../boot/network.ts';
import { preseedFiles } from '../boot/preseed.ts';
import { rootFiles } from '../boot/root-files.ts';
import {
  programFile,
  secretFile,
  setupFile,
  setupScript,
  tokenFile,
} from '../boot/setup-script.ts';
import { PiError } from '../errors.ts';
import type { PiSetup } from '../setup.ts';
import type { BaseImage } from './base-image.ts';

/** Name and content of each file on the boot partition that differs from the base. */
type BootFiles = Map<string, string | Uint8Array>;

export interface MachineNeeds {
  setup: PiSetup;
  /** The k3s binary, if it joins a cluster. */
  program?: Uint8Array;
  now: Date;
}

/** Writes a machine's files to the boot partition, in memory. @throws PiError The partition is too small. */
export async function customise(image: BaseImage, needs: MachineNeeds): Promise<BootFiles> {
  const files = await bootFiles(image, needs);
  for (const [path, content] of files) {
    const bytes = typeof content === 'string' ? Buffer.from(content) : content;
    await image.boot.write(path, bytes, needs.now);
  }
  return files;
}

/** @throws PiError A file is missing from the base. */
export async function bootFiles(
  { boot, method, disk, lacks }: Pick<BaseImage, 'boot' | 'method' | 'disk' | 'lacks'>,
  { setup, program, now }: MachineNeeds,
): Promise<BootFiles> {
  const read = async (path: string) => {
    const content = await boot.read(path);
    if (content !== undefined) return content.toString();
    throw new PiError(
      `${disk.name}: the boot partition does not contain ${path}; check that the image is complete`,
    );
  };
  const configTxt = await read('config.txt');
  const cmdline = cmdlinePath(configTxt);
  const cmdlineText = await read(cmdline);
  const { cluster, enrolment, wifi } = setup;
  if (enrolment !== undefined && (lacks.length > 0 || method === 'debian-firstrun')) {
    const why =
      lacks.length > 0
        ? `the image does not contain ${lacks.join(' or ')}`
        : "this is Debian's own image";
    throw new PiError(
      `${disk.name}: ${why}, so machines cannot enrol with it; use Raspberry Pi OS or Ubuntu Server`,
    );
  }
  const files = rootFiles(setup, now);
  const configLines = [watchdogLine, ...(wifi === 'off' ? [noWifiLine] : [])];
  const script = setupScript({
    files: [...files, ...systemFiles(method, setup), ...commonFiles(setup, method)],
    programSha256: cluster?.programSha256,
    hasWifi: wifi !== 'off',
    units: enrolment === undefined ? [] : enrolUnits,
  });
  const instance = `${setup.identity.hostname}-${digest(setup)}`;
  return new Map<string, string | Uint8Array>([
    ...Object.entries(methodFiles(method, setup, instance)),
    [setupFile, script],
    ...Object.entries(secretFiles(setup)),
    ...(program === undefined ? [] : [[programFile, program] as const]),
    // The first boot of Debian's own image rewrites it.
    ...(method === 'debian-firstrun'
      ? []
      : ([['config.txt', editConfigTxt(configTxt, configLines)]] as [string, string][])),
    [cmdline, editCmdline(cmdlineText, cmdlineEdit(method, setup, { cmdlineText, instance }))],
  ]);
}

function secretFiles({ cluster, enrolment }: PiSetup): Record<string, string> {
  return {
    ...(cluster?.token && { [tokenFile]: `${cluster.token.reveal()}\n` }),
    ...(enrolment && { [secretFile]: `${enrolment.secret.reveal()}\n` }),
  };
}

function methodFiles(method: Method, setup: PiSetup, instance: string): Record<string, string> {
  switch (method) {
    case 'cloud-init':
    case 'cloud-init-networkd':
      return cloudInitFiles(setup, instance, method);
    case 'rpi-preseed':
      return preseedFiles(setup);
    case 'firstrun':
      return firstRunFiles(setup, raspberryPiSteps(setup));
    case 'debian-firstrun':
      return firstRunFiles(setup, debianSteps(setup, wordsOf(lastingEdit(setup))));
  }
}

/** Files that the script writes in addition to the common ones: the network, unless cloud-init configures it. */
function systemFiles(method: Method, setup: PiSetup): TextFile[] {
  if (method.startsWith('cloud-init')) return [];
  if (method === 'debian-firstrun') return debianFiles(setup, wordsOf(lastingEdit(setup)));
  return networkManagerFiles(setup);
}

function cmdlineEdit(
  method: Method,
  setup: PiSetup,
  { cmdlineText, instance }: { cmdlineText: string; instance: string },
): CmdlineEdit {
  const seed = cmdlineValue(cmdlineText, 'ds');
  const { add, set } = lastingEdit(setup);
  return {
    add,
    set: {
      ...set,
      // It overrides meta-data.
      ...(method.startsWith('cloud-init') &&
        seed?.startsWith('nocloud') && { ds: `nocloud;i=${instance}` }),
      ...((method === 'firstrun' || method === 'debian-firstrun') && firstRunWords),
    },
  };
}

/** Unique for each setup, so that cloud-init runs again. */
function digest(setup: PiSetup): string {
  // Secrets are printed as a placeholder, so the digest includes the network key and the token.
  const files = rootFiles(setup, new Date(0));
  const text = JSON.stringify([setup, files, netplanOf(setup, 'cloud-init'), secretFiles(setup)]);
  return sha256(text).slice(0, 12);
}
