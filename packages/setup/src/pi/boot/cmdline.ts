/** cmdline.txt, the command line of the kernel: one line. The firmware ignores what is after the first one. */
import type { PiSetup } from '../setup.ts';

/** Words are separated by spaces, unless in double quotes. */
const words = /(?:"[^"]*"|[^\s"])+/g;

export interface CmdlineEdit {
  /** Required words: `cgroup_enable=memory`. */
  add?: readonly string[];
  /** Words with a unique key: `{ 'cfg80211.ieee80211_regdom': 'DE' }`. */
  set?: Readonly<Record<string, string>>;
}

/** Words for every boot. */
export function lastingEdit({ wifi }: Pick<PiSetup, 'wifi'>): Required<CmdlineEdit> {
  return {
    // k3s requires the memory controller, which the firmware disables. Older kernels support only the first word.
    add: ['cgroup_memory=1', 'cgroup_enable=memory'],
    // NetworkManager ignores netplan's country.
    set: wifi === 'off' ? {} : { 'cfg80211.ieee80211_regdom': wifi.country },
  };
}

/** The edited command line. Repeating an edit changes nothing. Words on further lines are moved to the first one. */
export function editCmdline(text: string, { add = [], set = {} }: CmdlineEdit): string {
  const kept = (text.match(words) ?? []).filter((word) => !Object.hasOwn(set, keyOf(word)));
  const missing = add.filter((word) => !kept.includes(word));
  return `${[...kept, ...missing, ...settingsOf(set)].join(' ')}\n`;
}

/** Words that an edit adds. */
export function wordsOf({ add = [], set = {} }: CmdlineEdit): string[] {
  return [...add, ...settingsOf(set)];
}

/** The value of a key; undefined if it is missing. */
export function cmdlineValue(text: string, key: string): string | undefined {
  const found = (text.match(words) ?? []).find((word) => keyOf(word) === key);
  return found?.slice(key.length + 1);
}

function settingsOf(set: Readonly<Record<string, string>>): string[] {
  return Object.entries(set).map(([key, value]) => `${key}=${value}`);
}

function keyOf(word: string): string {
  const [key = ''] = word.split('=', 1);
  return key;
}
