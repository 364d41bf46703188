/** The output of a phone's `getprop` and `dumpsys`: PropertyService, BatteryService, ThermalManagerService. */
import type { Output } from '../equipment/cli/unix/box.ts';
import type { SimulatedAndroid } from './android.ts';
import type { Battery, Sensor } from './models.ts';

export function getprop(phone: SimulatedAndroid, [name]: readonly string[]): Output {
  const properties = new Map(phone.properties);
  if (phone.hasBooted()) {
    properties.set('dev.bootcomplete', '1');
    properties.set('sys.boot_completed', '1');
    properties.set('init.svc.bootanim', 'stopped');
  } else {
    properties.set('init.svc.bootanim', 'running');
  }
  if (name !== undefined) return { stdout: `${properties.get(name) ?? ''}\n` };
  const lines = [...properties]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `[${key}]: [${value}]\n`);
  return { stdout: lines.join('') };
}

export function dumpsys(phone: SimulatedAndroid, args: readonly string[]): Output {
  const [service = ''] = args;
  // It goes to standard output, and the status stays 0.
  return { stdout: dumpOf(phone, service) ?? `Can't find service: ${service}\n` };
}

function dumpOf(phone: SimulatedAndroid, service: string): string | undefined {
  if (service === 'battery') return batteryDump(phone.battery, phone.record.batteryForm);
  if (service === 'thermalservice') return thermalDump(phone);
  if (service === 'usb') return usbDump(phone);
  if (service === 'power') return 'POWER MANAGER (dumpsys power)\n\n  mWakefulness=Awake\n';
  return undefined;
}

/** The part about ports, on phones with USB-C. */
function usbDump({ connectedAtMillis }: SimulatedAndroid): string {
  return `USB MANAGER STATE (dumpsys usb):
{
  port_manager={
    is_simulation_active=false
    usb_ports=[
      {
        port={
          id=port0
          supported_modes=[mode_dual]
        }
        status={
          connected=${connectedAtMillis > 0}
          current_mode=${connectedAtMillis > 0 ? 'mode_ufp' : 'mode_none'}
        }
        can_change_mode=false
        connected_at_millis=${connectedAtMillis}
        last_connect_duration_millis=0
      }
    ]
  }
}
`;
}

function batteryDump(battery: Battery, form: 8 | 12 | 15): string {
  const { level, scale, status, health, present, voltage, temperature } = battery;
  const head = `Current Battery Service state:
  AC powered: false
  USB powered: true
  Wireless powered: false
${form === 15 ? '  Dock powered: false\n' : ''}  Max charging current: 500000
${form === 15 ? ' Time when the latest updated value of the Max charging current was sent via battery changed broadcast: +3s391ms\n' : ''}  Max charging voltage: 5000000
  Charge counter: 3270000
  status: ${status}
  health: ${health}
  present: ${present}
  level: ${level}
  scale: ${scale}
  voltage: ${voltage}
${form === 15 ? ` The last voltage value sent via the battery changed broadcast: ${voltage - 12}\n` : ''}  temperature: ${temperature}
  technology: Li-ion
`;
  if (form !== 15) return head;
  // Past events, in words similar to the current state.
  return `${head}  Charging state: 0
  Charging policy: 0
  Capacity level: -1
[EventLogBuffer]
11-20 18:34:14.721  Sending ACTION_BATTERY_CHANGED: level:3, status:2, health:2, voltage:4120, temperature:345
11-20 18:34:45.195  Sending ACTION_BATTERY_CHANGED: level:4, status:2, health:2, voltage:4124, temperature:611
`;
}

function thermalDump(phone: SimulatedAndroid): string | undefined {
  const { thermalHal, coolingDevices } = phone.record;
  if (thermalHal === undefined) return undefined;
  const { status, sensors } = phone.thermal;
  const lines = (list: readonly Sensor[]) => list.map(sensorLine).join('');
  // What a callback reported some time ago, hot or not.
  const cached = sensors.map((sensor) => ({ ...sensor, value: sensor.value + 19 }));
  const hot = sensors.filter(({ type }) => type === 2 || type === 3);
  return `IsStatusOverride: false
ThermalEventListeners:
\tcallbacks: 2
\tkilled: false
\tbroadcasts count: -1
ThermalStatusListeners:
\tcallbacks: 5
\tkilled: false
\tbroadcasts count: -1
Thermal Status: ${status}
Cached temperatures:
${lines(cached)}HAL Ready: true
HAL connection:
\t${thermalHal}
Current temperatures from HAL:
${lines(sensors)}Current cooling devices from HAL:
${coolingDevices.map((device) => `\t${device}\n`).join('')}Temperature static thresholds from HAL:
${hot.map(thresholdLine).join('')}`;
}

function sensorLine({ value, type, name, status }: Sensor): string {
  return `\tTemperature{mValue=${javaFloat(value)}, mType=${type}, mName=${name}, mStatus=${status}}\n`;
}

function thresholdLine({ type, name }: Sensor): string {
  const cold = Array.from({ length: 7 }, () => 'NaN').join(', ');
  const hotOnes = 'NaN, 39.0, 43.0, 45.0, 47.0, 52.0, 55.0';
  return `\tTemperatureThreshold{mType=${type}, mName=${name}, mHotThrottlingThresholds=[${hotOnes}], mColdThrottlingThresholds=[${cold}]}\n`;
}

/** In Java's format of a float. */
function javaFloat(value: number): string {
  const text = String(Number(Math.fround(value).toPrecision(8)));
  return text.includes('.') || text.includes('e') ? text : `${text}.0`;
}
