/**
 * Decides whether a reading of a configuration is stored as a version, or is incomplete, from the wrong device, or too short (it
 * shrank too much). A partial configuration or an error text in the history would hide the last good version. Pure.
 *
 * Sources of the error texts: the command references of Cisco IOS, NX-OS, EdgeSwitch, Junos, RouterOS; texts that Oxidized stored as
 * success.
 */
import type { FailureClass } from '@skolo/api';
import type { BackupModel, Content, Identity } from '@skolo/equipment/models/backup';
import type { DeviceRecord } from './state.ts';

/** Why a reading is not stored. */
interface Rejection {
  failure: Extract<FailureClass, 'incomplete' | 'rejected' | 'wrong-device' | 'suspiciously-small'>;
  what: string;
}

/** Judges one reading by itself: an error text, an empty answer, or a missing mark of the model. */
export async function judgeContent(
  { format, incomplete }: Pick<BackupModel, 'format' | 'incomplete'>,
  content: Content,
): Promise<Rejection | undefined> {
  if ('bytes' in content && format === 'text') {
    const text = content.bytes.toString('latin1', 0, longestShown);
    if (text.trim() === '') return { failure: 'incomplete', what: 'it returned nothing' };
    const rejection = rejectionIn(text);
    if (rejection !== undefined) {
      return { failure: 'rejected', what: `it returned an error: ${rejection}` };
    }
  }
  const missing = await incomplete(content);
  return missing === undefined ? undefined : { failure: 'incomplete', what: missing };
}

/** The beginning of a configuration, which is never blank. */
const longestShown = 64 * 1024;
/** A device that sent more lines sent a configuration, which may contain any of these texts. */
const longestRejection = 10;

const rejections: readonly RegExp[] = [
  /^%\s*(?:Error|Invalid|Incomplete|Unknown|Ambiguous|Unrecognized|Bad|Authorization|Permission|Access)/i,
  /^Command authorization failed/i,
  /^(?:Authorization|Authentication|Permission|Access) (?:failed|denied)/i,
  /^Invalid (?:command|input|syntax)/i,
  /^(?:error: )?unknown command/i,
  /^syntax error/i,
  /^bad command name/i,
  /^Line has invalid autocommand/i,
  /^Could not open config/i,
  /^Configuration system locked/i,
  /^This (?:system|account) (?:is|has) (?:been )?(?:locked|expired)/i,
  /^-?\w*sh: .*(?:not found|No such file|Permission denied)/i,
  /^(?:cat|tar|ls|sudo): /,
  /: (?:command )?not found$/,
];

/** The first line that is an error text of any model. */
function rejectionIn(text: string): string | undefined {
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  if (lines.length > longestRejection) return undefined;
  return lines.find((line) => rejections.some((rejection) => rejection.test(line)))?.slice(0, 200);
}

/** What identifies a device: its serial number in rack.yaml, and what its first reading showed. */
interface KnownDevice {
  name: string;
  model: string;
  /** Why the device did not show everything. */
  unseen?: string | undefined;
  serial: string | undefined;
  pinned: Identity | undefined;
}

/** Judges the sender: a swapped address must not write to the history of another device. The session checks the host key. */
export function judgeIdentity(
  seen: Identity,
  { name, model, unseen, serial, pinned }: KnownDevice,
): Rejection | undefined {
  const another = (what: string): Rejection => ({ failure: 'wrong-device', what });
  const forget = `run: skolo equipment forget ${name}`;
  const serials = serialsOf(seen);
  const why = unseen ?? `the answers of model ${model} did not contain one`;
  if (serial !== undefined && seen.serial === undefined) {
    const what = `the serial number ${serial} of rack.yaml could not be verified, because no serial number was seen: ${why}; if it never shows one, remove \`serial\` from rack.yaml`;
    return { failure: 'incomplete', what };
  }
  if (serial !== undefined && seen.serial !== undefined && !serials.includes(serial)) {
    return another(
      `the serial number is ${seen.serial}, but rack.yaml specifies ${serial}: other equipment is responding at this address`,
    );
  }
  if (pinned?.serial !== undefined && seen.serial !== undefined) {
    // If it has the same serial number, it may have been renamed. A stack whose master failed has the other members.
    if (serialsOf(pinned).some((each) => serials.includes(each))) return undefined;
    return another(
      `the serial number is ${seen.serial}, not ${pinned.serial}: other equipment is responding at this address; if it was replaced, ${forget}`,
    );
  }
  if (pinned === undefined) return undefined;
  if (seen.hostname === undefined) {
    if (pinned.serial === undefined || pinned.hostname === undefined) return undefined;
    const what = `neither the serial number ${pinned.serial} nor the host name ${pinned.hostname} was seen: ${why}`;
    return { failure: 'incomplete', what: `${what}; if the host name was removed, ${forget}` };
  }
  if (pinned.hostname === seen.hostname) return undefined;
  return another(
    `the configuration has the host name ${seen.hostname}, not ${pinned.hostname ?? 'none, as before'}: other equipment is responding at this address, or it was renamed; if it was replaced or renamed, ${forget}`,
  );
}

function serialsOf({ serial, members = [] }: Identity): (string | undefined)[] {
  return [serial, ...members];
}

/** The identity to pin; undefined: the device does not show one. */
export function pin(
  seen: Identity,
  pinned: Identity | undefined,
): DeviceRecord['identity'] | undefined {
  const { serial, members } = seen.serial === undefined ? (pinned ?? {}) : seen;
  const hostname = seen.hostname ?? pinned?.hostname;
  return serial === undefined && hostname === undefined
    ? undefined
    : { serial, hostname, ...(members && { members: [...members] }) };
}

/** Judges a change against the newest version: one that lost most of its bytes must be requested twice by a person. */
export function judgeSize(
  name: string,
  size: number,
  { previous, shrinkPercent }: { previous: number; shrinkPercent: number },
): Rejection | undefined {
  const lost = previous === 0 ? 0 : ((previous - size) / previous) * 100;
  if (lost <= shrinkPercent) return undefined;
  const what = `the configuration has ${size} bytes, but the previous version has ${previous} bytes; if this is intended, run: skolo backup run ${name}`;
  return { failure: 'suspiciously-small', what };
}
