/** An iPhone or iPad as the tools of libimobiledevice see it. */

const iphoneFaults = [
  /** Each tool waits for ever. */
  'hangs',
  /** Half of the answer, then silence. */
  'hangs-mid-way',
  /** It wants its code: error -17. */
  'locked',
  /** Nobody has told it to trust this computer: error -19. */
  'not-trusted',
  /** Somebody has told it not to: error -18. */
  'trust-denied',
  /** The connection breaks: error -8. */
  'mux-error',
  /** Answers with bytes that make no sense. */
  'garbage',
  /** Says nothing, with status 0: as for a key that it does not have. */
  'empty-answers',
  /** No developer image is mounted: no screenshots. */
  'no-screenshots',
  /** Refuses to restart. */
  'restart-rejected',
] as const;
type IphoneFault = (typeof iphoneFaults)[number];

/** A TIFF file with no picture in it. */
export const iphoneScreenshot = Buffer.from('49492a000800000000000000000000', 'hex');

export interface IphoneOptions {
  udid: string;
  /** `iPhone12,1` when absent: an iPhone 11. */
  productType?: string;
  /** `iPhone` when absent. */
  name?: string;
  /** From a restart until it is there again; 100 when absent. */
  restartMs?: number;
  /** More values of `ideviceinfo`, or other ones. */
  values?: Readonly<Record<string, string>>;
}

export class SimulatedIphone {
  readonly udid: string;
  /** What `ideviceinfo` says without a domain. */
  readonly values: Map<string, string>;
  /** Of the domain com.apple.mobile.battery. */
  readonly battery: Map<string, string>;
  readonly faults = new Set<IphoneFault>();
  /** TIFF, as older devices give; newer ones give PNG. */
  screenshot: Buffer = iphoneScreenshot;
  restartMs: number;
  /** How often it booted, the first time included. */
  boots = 1;
  private isThere = true;
  private timer: NodeJS.Timeout | undefined;

  constructor(options: IphoneOptions) {
    this.udid = options.udid;
    this.restartMs = options.restartMs ?? 100;
    this.values = new Map(
      Object.entries({
        ActivationState: 'Activated',
        BasebandVersion: '2.05.13',
        BuildVersion: '18D70',
        CPUArchitecture: 'arm64e',
        DeviceClass: 'iPhone',
        DeviceName: options.name ?? 'iPhone',
        HardwareModel: 'N104AP',
        ModelNumber: 'MWLT2',
        PasswordProtected: 'false',
        ProductName: 'iPhone OS',
        ProductType: options.productType ?? 'iPhone12,1',
        ProductVersion: '14.4.2',
        RegionInfo: 'LL/A',
        SerialNumber: 'C8QDC0AAN72J',
        TimeZone: 'America/New_York',
        UniqueDeviceID: options.udid,
        ...options.values,
      }),
    );
    this.battery = new Map([
      ['BatteryCurrentCapacity', '93'],
      ['BatteryIsCharging', 'true'],
      ['ExternalChargeCapable', 'true'],
      ['ExternalConnected', 'true'],
      ['FullyCharged', 'false'],
      ['GasGaugeCapability', 'true'],
      ['HasBattery', 'true'],
    ]);
  }

  isPresent(): boolean {
    return this.isThere;
  }

  unplug(): void {
    clearTimeout(this.timer);
    this.isThere = false;
  }

  plugIn(): void {
    clearTimeout(this.timer);
    this.isThere = true;
  }

  /** Away, and back after `restartMs`. */
  restart(): void {
    this.unplug();
    this.timer = setTimeout(() => {
      this.boots += 1;
      this.isThere = true;
    }, this.restartMs);
  }
}
