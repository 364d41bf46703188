/** Ways in which phones and adb's server misbehave. */

const androidFaults = [
  /** Accepts a command and never answers. */
  'hangs',
  /** Half of the answer, then silence. */
  'hangs-mid-way',
  /** Half of the answer, then it is gone until it is plugged in again. Once only. */
  'disappears-mid-way',
  /** Half of the answer, then the connection ends without the command's status. */
  'drops-mid-way',
  /** Each answer takes `slowMs`. */
  'slow',
  /** Windows line ends. */
  'crlf',
  /** Answers with meaningless bytes. */
  'garbage',
  /** No output, with status 0. */
  'empty-answers',
  /** `hugeBytes` of additional output. */
  'huge-output',
  /** Every property exists, but is empty. */
  'empty-properties',
  /** Temperatures of thermalservice in thousandths of a degree. */
  'milli-degrees',
  /** `dumpsys` finds no service. */
  'no-services',
  /** `reconnect` does not bring it back. */
  'stays-offline',
  /** The connection of the reboot request never ends, although it reboots. */
  'reboot-hangs',
  /** After a reboot it is present, but never finishes booting. */
  'never-boots',
] as const;
export type AndroidFault = (typeof androidFaults)[number];

const adbServerFaults = [
  /** Accepts connections but never responds, not even to `host:kill`. A restart ends that. */
  'wedged',
  /** Its port is closed. The real client then starts a real server on it: `close` ends that. */
  'refuses',
  /** Each answer takes `slowMs`. */
  'slow',
  /** Answers with meaningless bytes. */
  'garbage',
  /** It sees no phone until it is restarted, like servers whose USB thread has died. */
  'blind',
] as const;
export type AdbServerFault = (typeof adbServerFaults)[number];
