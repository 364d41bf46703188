/** What adb's server answers itself: `host:…`. Source: handle_host_request() in adb.cpp; texts of Debian's server (29.0.6). */
import type { SimulatedAndroid } from './android.ts';
import { listText, pick, refusal, type Target } from './targets.ts';
import { fail, okay } from './wire.ts';

/** 41: that of adb 1.0.41. A client kills a server with a different one. */
const version = '0029';

const features =
  'push_sync,remount_shell,abb_exec,abb,apex,fixed_push_mkdir,ls_v2,stat_v2,fixed_push_symlink_timestamp,cmd,shell_v2';

/** Answers that end the connection. */
export function answerHost(
  service: string,
  target: Target,
  seen: readonly SimulatedAndroid[],
): Buffer {
  switch (service) {
    case 'version':
      return okay(version);
    case 'devices':
      return okay(listText(seen, false));
    case 'devices-l':
      return okay(listText(seen, true));
    case 'host-features':
      return okay(features);
    case 'list-forward':
      return okay('');
    case 'reconnect-offline':
      return okay(reconnectOffline(seen));
    case 'reconnect': {
      const phone = pick(seen, target);
      return okay(typeof phone === 'string' ? phone : reconnect(phone));
    }
    default: {
      const fact = facts[service];
      if (!fact) return fail('unknown host service');
      const phone = pick(seen, target);
      if (typeof phone === 'string') return fail(phone);
      const why = refusal(phone);
      return why === undefined ? okay(fact(phone)) : fail(why);
    }
  }
}

const facts: Readonly<Record<string, (phone: SimulatedAndroid) => string>> = {
  'get-state': ({ state }) => state,
  'get-serialno': ({ serial }) => serial,
  'get-devpath': ({ usb }) => (usb === undefined ? 'unknown' : `usb:${usb}`),
  features: ({ record }) => record.features.join(','),
};

function reconnect(phone: SimulatedAndroid): string {
  const before = phone.state;
  phone.reconnect();
  return `reconnecting ${phone.serial} [${before}]\n`;
}

function reconnectOffline(seen: readonly SimulatedAndroid[]): string {
  const offline = seen.filter(({ state }) => state === 'offline' || state === 'unauthorized');
  for (const phone of offline) phone.reconnect();
  return offline.map(({ serial }) => `reconnecting ${serial}`).join('\n');
}
