/** Ways in which phones and adb's server misbehave. */

const androidFaults = [
  /** Takes a command and never answers. */
  'hangs',
  /** Half of the answer, then silence. */
  'hangs-mid-way',
  /** Half of the answer, then it is gone until it is plugged in again. Happens once. */
  'disappears-mid-way',
  /** Half of the answer, then the connection ends without the command's status. */
  'drops-mid-way',
  /** Each answer takes `slowMs`. */
  'slow',
  /** Lines end as those of Windows. */
  'crlf',
  /** Answers with bytes that make no sense. */
  'garbage',
  /** Says nothing, with status 0. */
  'empty-answers',
  /** `hugeBytes` more than anybody asked for. */
  'huge-output',
  /** Each property is there, and empty. */
  'empty-properties',
  /** Temperatures of thermalservice in thousandths of a degree. */
  'milli-degrees',
  /** `dumpsys` finds no service. */
  'no-services',
  /** `reconnect` does not bring it back. */
  'stays-offline',
  /** The connection of the request to reboot never ends, though it reboots. */
  'reboot-hangs',
  /** After a reboot it is there, and never has booted. */
  'never-boots',
] as const;
export type AndroidFault = (typeof androidFaults)[number];

const adbServerFaults = [
  /** Takes connections and never says a word, not even to `host:kill`. A restart ends that. */
  'wedged',
  /** Its port is closed. The real client then starts a real server there: `close` ends it. */
  'refuses',
  /** Each answer takes `slowMs`. */
  'slow',
  /** Answers with bytes that make no sense. */
  'garbage',
  /** It sees no phone until it is restarted, as servers do whose USB thread has died. */
  'blind',
] as const;
export type AdbServerFault = (typeof adbServerFaults)[number];
