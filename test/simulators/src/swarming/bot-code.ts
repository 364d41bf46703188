/** Serves the bot: its versions, and the endpoint that redirects to the stable one. */
import { type BotTimes, type BotZip, type BotZipOptions, buildBotZip } from './bot-zip.ts';

export interface BotCodeOptions {
  hookScript?: string | undefined;
  times?: Partial<BotTimes> | undefined;
  disks?: BotZipOptions['disks'];
  padding?: number | undefined;
}

export class BotCode {
  serverVersion = '0001-simulated';
  private spoilt: BotZipOptions['spoilt'];
  private readonly options: BotCodeOptions;
  private readonly stable = new Map<string, BotZip>();
  private readonly known = new Map<string, BotZip>();
  private updates = 1;

  constructor(options: BotCodeOptions) {
    this.options = options;
  }

  /** The zip names the host that it was asked from, so every host has a version of its own. */
  stableFor(host: string): BotZip {
    const found = this.stable.get(host) ?? this.build(host, this.spoilt);
    this.stable.set(host, found);
    this.known.set(found.version, found);
    return found;
  }

  find(version: string): BotZip | undefined {
    return this.known.get(version);
  }

  /** From now on another version is the stable one. */
  renew(change: {
    spoilt?: 'dead' | 'not-fine' | undefined;
    hookScript?: string | undefined;
  }): void {
    this.updates += 1;
    this.serverVersion = `${String(this.updates).padStart(4, '0')}-simulated`;
    this.spoilt = change.spoilt;
    if (change.hookScript !== undefined) this.options.hookScript = change.hookScript;
    this.stable.clear();
  }

  private build(host: string, spoilt: BotZipOptions['spoilt']): BotZip {
    const { serverVersion, options } = this;
    return buildBotZip({ ...options, server: `http://${host}`, serverVersion, spoilt });
  }
}

export const zipPath = '/swarming/api/v1/bot/bot_code/';
