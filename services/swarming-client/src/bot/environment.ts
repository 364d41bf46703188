/** The environment of the bot, which each of its tasks inherits: no secrets, and nothing that was meant for Node. */
import { shimFolder } from '../package-files.ts';
import type { BotSettings } from './bot-settings.ts';

/** Marks everything that belongs to the bot of a directory, so that it is found when its parents are gone. */
export const markVariable = 'SKOLO_AGENT_BOT';

const usualPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

const passedOn =
  /^(?:HOME|USER|LOGNAME|SHELL|LANG|LANGUAGE|LC_\w+|TZ|TMPDIR|DISPLAY|XAUTHORITY|XDG_RUNTIME_DIR|ANDROID_\w+|ADB_\w+|SSL_CERT_FILE|SSL_CERT_DIR|DOCKER_HOST_HOSTNAME|IMAGE_NAME|MY_RACK_NAME|SKOLO_OAUTH_CONFIG)$/;
/** Suffixes of secrets' names. */
const secret = /(?:TOKEN|SECRET|PASSWORD|PASSPHRASE|CREDENTIALS?|API_?KEY)$/;

/** The environment of the programs that look after the bot: the same, without variables for the bot alone. */
export function cleanEnvironment(env: NodeJS.ProcessEnv): Record<string, string> {
  const clean: Record<string, string> = { PATH: env.PATH || usualPath, HOME: '/root' };
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && passedOn.test(name) && !secret.test(name)) clean[name] = value;
  }
  return clean;
}

/** See "Environment" in Swarming's bot: the ID, and no host setup by the server's script. */
export function botEnvironment(
  env: NodeJS.ProcessEnv,
  { botId, hookUrl, settings }: { botId: string; hookUrl: string; settings: BotSettings },
): Record<string, string> {
  const clean = cleanEnvironment(env);
  return {
    ...clean,
    PATH: `${shimFolder}:${clean.PATH}`,
    SWARMING_BOT_ID: botId,
    SWARMING_EXTERNAL_BOT_SETUP: '1',
    SKOLO_HOOK_URL: hookUrl,
    SKOLO_REBOOT: settings.reboot,
    [markVariable]: settings.botDir,
  };
}
