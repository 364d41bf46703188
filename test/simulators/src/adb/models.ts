/**
 * The output of real phones, reduced to the parts that anybody reads.
 *
 * Properties are those of the named builds. Sensors of Pixel 6 and Galaxy are from phones on which `dumpsys thermalservice` was recorded
 * (Skia's test_machine_monitor, Memfault's Bort), with their oddities: currents and voltages among the temperatures, a second battery that
 * does not exist, names without a type.
 */

export interface Sensor {
  /** °C, except for the types 6 to 8, which are millivolts, milliamperes and percent. */
  value: number;
  /** Temperature.Type of Android: -1 unknown, 0 CPU, 1 GPU, 2 battery, 3 skin, 4 USB port, … 9 NPU. */
  type: number;
  name: string;
  /** 0 none … 6 shutdown. */
  status: number;
}

export interface Battery {
  level: number;
  scale: number;
  /** Tenths of a degree. */
  temperature: number;
  /** 2 charging, 3 discharging, 4 not charging, 5 full (BatteryManager). */
  status: number;
  health: number;
  present: boolean;
  /** Millivolts. */
  voltage: number;
}

export interface AndroidRecord {
  properties: Readonly<Record<string, string>>;
  /** What adbd offers; older ones do not support the shell protocol. */
  features: readonly string[];
  /** Its `dumpsys battery`: `12` lists what was charged, `15` also past events. */
  batteryForm: 8 | 12 | 15;
  /** thermalservice's name for its HAL; undefined: there is no thermalservice (before Android 10). */
  thermalHal: 'ThermalHAL 2.0 connected: yes' | 'ThermalHAL AIDL 1  connected: yes' | undefined;
  battery: Battery;
  sensors: readonly Sensor[];
  coolingDevices: readonly string[];
  log: string;
  /** Lines end as on terminals (before Android 7). */
  hasTerminalOutput?: boolean;
}

const features = 'cmd,shell_v2,stat_v2,ls_v2,fixed_push_mkdir,apex,abb,abb_exec'.split(',');

const battery: Battery = {
  level: 87,
  scale: 100,
  temperature: 281,
  status: 2,
  health: 2,
  present: true,
  voltage: 4312,
};

const log = `--------- beginning of main
11-20 20:11:53.034  1712  1734 I ActivityManager: Start proc 4711:com.android.chrome/u0a121
11-20 20:11:53.117  1712  1801 W BatteryService: reading the battery took 52ms
--------- beginning of system
11-20 20:11:54.002   912   912 E Thermal : sensor quiet-therm-adc did not respond
--------- beginning of crash
11-20 20:11:54.610  4711  4711 F libc    : Fatal signal 11 (SIGSEGV), code 1 (SEGV_MAPERR)
`;

/** [name, type, value] */
function sensors(list: readonly (readonly [string, number, number])[]): Sensor[] {
  return list.map(([name, type, value]) => ({ name, type, value, status: 0 }));
}

interface Build {
  brand: string;
  manufacturer: string;
  model: string;
  name: string;
  device: string;
  board: string;
  id: string;
  incremental: string;
  release: string;
  sdk: string;
  systemBrand?: string;
}

function build(of: Build): Record<string, string> {
  const fingerprint = `${of.brand}/${of.name}/${of.device}:${of.release}/${of.id}/${of.incremental}:user/release-keys`;
  return {
    'dalvik.vm.heapsize': '512m',
    'gsm.sim.state': 'ABSENT',
    'init.svc.adbd': 'running',
    'persist.sys.timezone': 'America/New_York',
    'persist.sys.usb.config': 'adb',
    'ro.bootmode': 'unknown',
    'ro.build.description': `${of.name}-user ${of.release} ${of.id} ${of.incremental} release-keys`,
    'ro.build.fingerprint': fingerprint,
    'ro.build.id': of.id,
    'ro.build.product': of.device,
    'ro.build.tags': 'release-keys',
    'ro.build.type': 'user',
    'ro.build.version.incremental': of.incremental,
    'ro.build.version.release': of.release,
    'ro.build.version.sdk': of.sdk,
    'ro.product.board': of.board,
    'ro.product.brand': of.brand,
    'ro.product.cpu.abi': 'arm64-v8a',
    'ro.product.device': of.device,
    'ro.product.manufacturer': of.manufacturer,
    'ro.product.model': of.model,
    'ro.product.name': of.name,
    ...(of.systemBrand === undefined ? {} : { 'ro.product.system.brand': of.systemBrand }),
    // Never set, as in many builds.
    'ro.radio.noril': '',
    // A two-line value, which getprop prints as it is.
    'persist.sys.locale.note': 'first\nsecond',
    'sys.usb.state': 'adb',
  };
}

export const androidModels = {
  /** Android 11. */
  'pixel-5': {
    properties: build({
      brand: 'google',
      manufacturer: 'Google',
      model: 'Pixel 5',
      name: 'redfin',
      device: 'redfin',
      board: 'redfin',
      id: 'RQ3A.210805.001.A1',
      incremental: '7474174',
      release: '11',
      sdk: '30',
      systemBrand: 'google',
    }),
    features,
    batteryForm: 12,
    thermalHal: 'ThermalHAL 2.0 connected: yes',
    battery,
    sensors: sensors([
      ['cpu-0-0-usr', 0, 34.6],
      ['cpu-1-3-usr', 0, 35.2],
      ['gpuss-0-usr', 1, 33.600002],
      ['battery', 2, 28.1],
      ['skin-therm', 3, 31.4],
      ['usbc-therm-adc', 4, 29.9],
      ['vbat', 6, 4.312],
      ['soc', 8, 13],
    ]),
    coolingDevices: ['CoolingDevice{mValue=0, mType=2, mName=thermal-cpufreq-0}'],
    log,
  },
  /** Android 12, on Tensor: many of its temperatures are something else. */
  'pixel-6': {
    properties: build({
      brand: 'google',
      manufacturer: 'Google',
      model: 'Pixel 6',
      name: 'oriole',
      device: 'oriole',
      board: 'oriole',
      id: 'SD1A.210817.036',
      incremental: '7805805',
      release: '12',
      sdk: '31',
      systemBrand: 'google',
    }),
    features,
    batteryForm: 12,
    thermalHal: 'ThermalHAL 2.0 connected: yes',
    battery: { ...battery, level: 100, temperature: 202, status: 5 },
    sensors: sensors([
      ['soft_ocp_gpu', 7, 8900],
      ['soft_ocp_tpu', 7, 8400],
      ['TPU', 9, 25.000002],
      ['ocp_tpu', 7, 10400],
      ['smpl_gm', 6, 1300],
      ['vdroop2', 6, 1250],
      ['batoilo', 7, 4900],
      ['battery', 2, 20.2],
      ['BIG', 0, 31.000002],
      ['G3D', 1, 26],
      ['soc', 8, 19],
      ['usb_pwr_therm2', -1, 20.473001],
      ['USB2-MINUS-USB', -1, -0.05],
      ['cellular-emergency', 5, 22.771002],
      ['VIRTUAL-SKIN', 3, 22.771002],
      ['VIRTUAL-USB-THROTTLING', 4, 0],
    ]),
    coolingDevices: [
      'CoolingDevice{mValue=0, mType=5, mName=tpu_cooling}',
      'CoolingDevice{mValue=0, mType=2, mName=thermal-cpufreq-2}',
    ],
    log,
  },
  /** Android 15. */
  'galaxy-s24': {
    properties: build({
      brand: 'samsung',
      manufacturer: 'samsung',
      model: 'SM-S921B',
      name: 'e1sxeea',
      device: 'e1s',
      board: 's5e9945',
      id: 'AP3A.240905.015.A2',
      incremental: 'S921BXXU5BYBG',
      release: '15',
      sdk: '35',
      systemBrand: 'samsung',
    }),
    features: [...features, 'sendrecv_v2', 'openscreen_mdns', 'delayed_ack'],
    batteryForm: 15,
    thermalHal: 'ThermalHAL AIDL 1  connected: yes',
    battery: { ...battery, level: 53, temperature: 252 },
    sensors: sensors([
      ['AP', 0, 34.6],
      ['BAT', 2, 25.2],
      ['PA', 5, 30],
      ['SKIN', 3, 28.2],
      ['SUBBAT', 2, 0],
      ['USB', 4, 25.8],
    ]),
    coolingDevices: [],
    log,
  },
  /** Android 8.1: no thermalservice. */
  'nexus-5x': {
    properties: build({
      brand: 'google',
      manufacturer: 'LGE',
      model: 'Nexus 5X',
      name: 'bullhead',
      device: 'bullhead',
      board: 'bullhead',
      id: 'OPM7.181205.001',
      incremental: '5080180',
      release: '8.1.0',
      sdk: '27',
    }),
    features: ['cmd', 'stat_v2', 'shell_v2'],
    batteryForm: 8,
    thermalHal: undefined,
    battery: { ...battery, level: 64 },
    sensors: [],
    coolingDevices: [],
    log,
  },
  /** Android 6: no shell protocol, so no exit status, and line ends as on terminals. */
  'nexus-7': {
    properties: build({
      brand: 'google',
      manufacturer: 'asus',
      model: 'Nexus 7',
      name: 'razor',
      device: 'flo',
      board: 'flo',
      id: 'MOB30X',
      incremental: '3036618',
      release: '6.0.1',
      sdk: '23',
    }),
    features: [],
    batteryForm: 8,
    thermalHal: undefined,
    battery: { ...battery, level: 91 },
    sensors: [],
    coolingDevices: [],
    log,
    hasTerminalOutput: true,
  },
} as const satisfies Record<string, AndroidRecord>;
export type AndroidModelName = keyof typeof androidModels;
