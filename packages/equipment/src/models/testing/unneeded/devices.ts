/** One device of each model that switches power: what it answers, and which part of that belongs to the outlet. */
import { http, mqtt, program, type Serve, snmp, ssh } from './transports.ts';

export interface AnsweringDevice {
  serve: Serve;
  options?: Record<string, unknown>;
  outlet: string;
  /** An outlet that is read together with it. */
  beside?: string;
  /** By a part of the request. */
  answers: Readonly<Record<string, Answered>>;
  /** Parts of the requests that switch it. */
  off: string;
  on: string;
  /** It is sent instead of `on` if nothing is known about the outlet. */
  onByDefault?: string;
  /** Why nothing is sent then. */
  staysOff?: string;
}

/** What it says, and the parts that belong to the outlet, as in `changed`. */
type Answered = readonly [says: unknown, ...own: string[]];

const reset = '/redfish/v1/Systems/1/Actions/ComputerSystem.Reset';
const resetAction = {
  target: reset,
  'ResetType@Redfish.AllowableValues': ['On', 'ForceOff', 'PowerCycle'],
};
const poe = '/rest/interface/ethernet/poe';
const port = { '.id': '*1', name: 'ether1', 'poe-out': 'auto-on', disabled: 'false' };
const rpdu = '1.3.6.1.4.1.318.1.1.12.3';
const rpdu2 = '1.3.6.1.4.1.318.1.1.26.9';
const ports = '1.3.6.1.2.1.105.1.1.1';
const rpc = '"method":"Shelly.GetStatus"';
const edge = '/opt/vyatta/sbin/vyatta-cfg-cmd-wrapper';

/** By model, or by model and transport. */
export const devices: Readonly<Record<string, AnsweringDevice>> = {
  'apc-rpdu': {
    serve: snmp,
    outlet: '1',
    beside: '2',
    answers: {
      '': [
        {
          [`${rpdu}.1.2.0`]: 0,
          [`${rpdu}.3.1.1.4.1`]: 1,
          [`${rpdu}.3.1.1.4.2`]: 1,
          [`${rpdu}.4.1.1.2.1`]: 'host-1',
          [`${rpdu}.5.1.1.4.1`]: 1,
          [`${rpdu}.5.1.1.4.2`]: 2,
        },
        `${rpdu}.5.1.1.4.1`,
        `${rpdu}.3.1.1.4.1`,
      ],
    },
    off: `set ${rpdu}.3.1.1.4.1=2`,
    on: `set ${rpdu}.3.1.1.4.1=1`,
  },
  'apc-rpdu2': {
    serve: snmp,
    outlet: '1',
    beside: '2',
    answers: {
      '': [
        {
          [`${rpdu2}.2.3.1.5.1`]: 2,
          [`${rpdu2}.2.3.1.5.2`]: 1,
          [`${rpdu2}.2.4.1.5.1`]: 1,
          [`${rpdu2}.2.4.1.5.2`]: 1,
          [`${rpdu2}.4.3.1.7.1`]: 40,
          [`${rpdu2}.4.3.1.7.2`]: -1,
        },
        `${rpdu2}.2.3.1.5.1`,
        `${rpdu2}.2.4.1.5.1`,
      ],
    },
    off: `set ${rpdu2}.2.4.1.5.1=2`,
    on: `set ${rpdu2}.2.4.1.5.1=1`,
  },
  'snmp-poe': {
    serve: snmp,
    outlet: '1',
    beside: '2',
    answers: {
      '': [
        {
          [`${ports}.3.1.1`]: 1,
          [`${ports}.3.1.2`]: 1,
          [`${ports}.6.1.1`]: 3,
          [`${ports}.6.1.2`]: 2,
          [`${ports}.10.1.1`]: 4,
        },
        `${ports}.3.1.1`,
      ],
    },
    off: `set ${ports}.3.1.1=2`,
    on: `set ${ports}.3.1.1=1`,
  },
  'snmp-switch': {
    serve: snmp,
    options: {
      on: { object: '1.3.6.1.4.1.9999.1.{outlet}', value: 1 },
      off: { object: '1.3.6.1.4.1.9999.1.{outlet}', value: 2 },
      read: { object: '1.3.6.1.4.1.9999.2.{outlet}', on: [7], off: [8] },
      watts: '1.3.6.1.4.1.9999.3.{outlet}',
    },
    outlet: '1',
    beside: '2',
    answers: {
      '': [
        {
          '1.3.6.1.4.1.9999.1.1': 1,
          '1.3.6.1.4.1.9999.1.2': 1,
          '1.3.6.1.4.1.9999.2.1': 7,
          '1.3.6.1.4.1.9999.2.2': 8,
          '1.3.6.1.4.1.9999.3.1': 40,
        },
        '1.3.6.1.4.1.9999.2.1',
        '1.3.6.1.4.1.9999.1.1',
      ],
    },
    off: 'set 1.3.6.1.4.1.9999.1.1=2',
    on: 'set 1.3.6.1.4.1.9999.1.1=1',
  },
  'mqtt-switch': {
    serve: mqtt,
    options: {
      topic: 'plug',
      available: 'tele/{device}/LWT',
      state: 'stat/{device}/STATE{outlet}',
      read: { on: '"state":"ON"', off: '"state":"OFF"' },
    },
    outlet: '1',
    beside: '2',
    answers: {
      'cmnd/plug/POWER1 ON': [
        { 'stat/plug/STATE1': { state: 'ON', voltage: 230 } },
        'stat/plug/STATE1/state',
      ],
      'cmnd/plug/POWER1 OFF': [
        { 'stat/plug/STATE1': { state: 'OFF', uptime: 5 } },
        'stat/plug/STATE1/state',
      ],
      'cmnd/plug/POWER1 ': [
        {
          'stat/plug/RESULT': { POWER1: 'OFF' },
          'stat/plug/STATE1': { state: 'ON', power: 4, energy: { total: 1 } },
          'stat/plug/STATE': 'OFF',
        },
        'stat/plug/STATE1/state',
      ],
      'cmnd/plug/POWER2 ': [{ 'stat/plug/STATE2': { state: 'ON' } }, 'stat/plug/STATE2/state'],
      // Never replaced, because the message that the plug is back is not retained.
      '': [{ 'tele/plug/LWT': 'Offline', 'tele/plug/STATE': { POWER1: 'OFF' } }],
    },
    off: 'cmnd/plug/POWER1 OFF',
    on: 'cmnd/plug/POWER1 ON',
  },
  redfish: {
    serve: http,
    options: { https: false },
    outlet: '1',
    answers: {
      'GET /redfish/v1/Systems/1 ': [
        {
          Id: '1',
          Name: 'node',
          PowerState: 'On',
          PowerWatts: { Reading: 80 },
          Status: { Health: 'OK' },
          Links: { ManagedBy: [{ '@odata.id': '/redfish/v1/Managers/1' }] },
          Actions: { '#ComputerSystem.Reset': resetAction },
        },
        'PowerState',
        'Id',
      ],
    },
    off: `POST ${reset} {"ResetType":"ForceOff"}`,
    on: `POST ${reset} {"ResetType":"On"}`,
  },
  'routeros http': {
    serve: http,
    options: { https: false, portCount: 3 },
    outlet: 'ether1',
    beside: 'ether2',
    answers: {
      [`GET ${poe} `]: [
        [port, { ...port, '.id': '*2', name: 'ether2', 'poe-out': 'forced-on-bt' }],
        '0/.id',
        '0/name',
        '0/poe-out',
      ],
      [`POST ${poe}/monitor `]: [
        [{ name: 'ether1', 'poe-out-status': 'powered-on', 'poe-out-power': '4' }],
      ],
      '"poe-out":"off"': [{ ...port, 'poe-out': 'off' }, 'name', 'poe-out'],
      '"poe-out":"auto-on"': [port, 'name', 'poe-out'],
    },
    off: `PATCH ${poe}/*1 {"poe-out":"off"}`,
    on: `PATCH ${poe}/*1 {"poe-out":"auto-on"}`,
    onByDefault: `PATCH ${poe}/ether1 {"poe-out":"auto-on"}`,
  },
  'routeros ssh': {
    serve: ssh(''),
    options: { portCount: 3 },
    outlet: 'ether1',
    beside: 'ether2',
    answers: {
      'monitor ether1': [
        `          name: ether1
       poe-out: auto-on
poe-out-status: powered-on
 poe-out-power: 24.7W

          name: ether2
       poe-out: forced-on-bt
poe-out-status: powered-on
 poe-out-power: 24.7W`,
        '          name: ether1$',
        '       poe-out: auto-on$',
      ],
    },
    off: '/interface ethernet poe set ether1 poe-out=off',
    on: '/interface ethernet poe set ether1 poe-out=auto-on',
  },
  'shelly-gen1': {
    serve: http,
    options: { outlets: 2 },
    outlet: '0',
    beside: '1',
    answers: {
      'GET /shelly ': [{ type: 'SHSW-25', fw: '1', num_meters: 2 }],
      'GET /status ': [
        {
          relays: [
            { ison: true, has_timer: false },
            { ison: false, has_timer: false },
          ],
          meters: [{ power: 4, is_valid: true }, { power: 0 }],
          temperature: 40,
        },
        'relays/0/ison',
      ],
      'turn=off': [{ ison: false, has_timer: false, source: 'http' }, 'ison'],
      'turn=on': [{ ison: true, has_timer: false, source: 'http' }, 'ison'],
    },
    off: 'GET /relay/0?turn=off ',
    on: 'GET /relay/0?turn=on ',
  },
  'shelly-gen2': {
    serve: http,
    options: { outlets: 2 },
    outlet: '0',
    beside: '1',
    answers: {
      [rpc]: [
        {
          src: 'plug',
          result: {
            'switch:0': { id: 0, output: true, apower: null, temperature: { tC: 40 } },
            'switch:1': { id: 1, output: false, apower: 0 },
            'switch:100': { id: 100, output: false },
            sys: { uptime: 5 },
          },
        },
        'result/switch:0/id',
        'result/switch:0/output',
      ],
      'Switch.Set': [{ src: 'plug', result: { was_on: true } }, 'result/was_on'],
    },
    off: '"method":"Switch.Set","params":{"id":0,"on":false}',
    on: '"method":"Switch.Set","params":{"id":0,"on":true}',
  },
  tasmota: {
    serve: http,
    options: { outlets: 2 },
    outlet: '1',
    beside: '2',
    answers: {
      'cmnd=State ': [{ POWER1: 'ON', POWER2: 'OFF', Heap: 25, Wifi: { RSSI: 60 } }, 'POWER1'],
      'cmnd=Status%2010 ': [{ StatusSNS: { ENERGY: { Power: [4, 0] }, DHT: { Humidity: 40 } } }],
      OFF: [{ POWER1: 'OFF', POWER2: 'OFF' }, 'POWER1'],
      ON: [{ POWER1: 'ON', POWER2: 'OFF' }, 'POWER1'],
    },
    off: 'cmnd=Power1%20OFF ',
    on: 'cmnd=Power1%20ON ',
  },
  synaccess: {
    serve: http,
    options: { outlets: 5 },
    outlet: '1',
    beside: '2',
    answers: {
      'cmd.cgi?$A5': ['$A0,01101,0.04,0.20,XX', '$A0,01101,'],
      'cmd.cgi?$A3': ['$A0', '$A0$'],
    },
    off: '$A3%201%200',
    on: '$A3%201%201',
  },
  'http-switch': {
    serve: http,
    options: {
      on: { method: 'PUT', path: '/relay/{outlet}', body: 'on' },
      off: { method: 'PUT', path: '/relay/{outlet}', body: 'off' },
      read: { path: '/relay/{outlet}', on: '"on":true', off: '"on":false' },
    },
    outlet: '1',
    beside: '2',
    answers: {
      'GET /relay/1': [{ on: true, id: 1, meter: { watts: 4, valid: true }, name: 'lamp' }, 'on'],
      'GET /relay/2': [{ on: true }],
    },
    off: 'PUT /relay/1 off',
    on: 'PUT /relay/1 on',
  },
  'command-switch': {
    serve: program('relay', ['state 1', 'state 2']),
    options: {
      on: ['relay', 'set', '{outlet}', 'on'],
      off: ['relay', 'set', '{outlet}', 'off'],
      read: {
        command: ['relay', 'state', '{outlet}'],
        on: '(^|\n)relay 1: on',
        off: '(^|\n)relay 1: off',
      },
    },
    outlet: '1',
    beside: '2',
    answers: {
      'state 1': ['# 3 relays\nrelay 1: on   4 W\nrelay 2: off  0 W', 'relay 1: on'],
      'state 2': ['relay 2: off'],
    },
    off: 'set 1 off',
    on: 'set 1 on',
  },
  ipmi: {
    serve: program('ipmitool', ['power status', 'power off', 'power on']),
    outlet: 'chassis',
    answers: {
      'power status': [
        'Loading...\nChassis Power is on\nClosing the session',
        'Chassis Power is on$',
      ],
      'power off': ['Chassis Power Control: Down/Off', 'Chassis Power Control: Down/Off$'],
      'power on': ['Chassis Power Control: Up/On', 'Chassis Power Control: Up/On$'],
    },
    off: 'chassis power off',
    on: 'chassis power on',
  },
  'cisco-ios': {
    serve: ssh('switch#'),
    outlet: 'Gi1/0/1',
    beside: 'Gi1/0/2',
    answers: {
      'show power inline Gi1/0/1': [
        `Interface Admin  Oper       Power   Device              Class Max
                            (Watts)
--------- ------ ---------- ------- ------------------- ----- ----
Gi1/0/1   auto   on         7.0     Ieee PD             2     30.0
Gi1/0/2   off    off        0.0     n/a                 n/a   30.0`,
        'Gi1/0/1   auto',
      ],
      'show power inline Gi1/0/2': [
        'Gi1/0/2   auto   on         7.0     Ieee PD             2     30.0',
      ],
      'show running-config interface': [
        `Current configuration : 80 bytes
!
interface GigabitEthernet1/0/1
 switchport mode access
 power inline auto
end`,
      ],
    },
    off: 'power inline never',
    on: 'power inline auto',
  },
  edgeswitch: {
    serve: ssh('(switch) #'),
    options: { portCount: 8 },
    outlet: '1',
    beside: '2',
    answers: {
      'show poe port 0/1': [
        `Intf      OP Mode      HP Enable HP Mode    Detect Enable Disconnect Enable Class Enable
--------- ------------ --------- ---------- ------------- ----------------- ------------
0/1       Auto         Enable    Dot3at     Enable        Enable            Enable`,
        '0/1       Auto',
      ],
      'show poe port 0/2': [
        '0/2       Auto         Enable    Dot3at     Enable        Enable            Enable',
      ],
      'show poe status': [
        `Intf      Detection      Class   Consumed(W) Voltage(V) Current(mA) Temperature(C)
--------- -------------- ------- ----------- ---------- ----------- --------------
0/1       Good           Class4         4.10      53.46       77.00             43
0/2       Open Circuit   Unknown        0.00       0.00        0.00             43`,
        '0/1       Good',
      ],
    },
    off: 'poe opmode shutdown',
    on: 'poe opmode auto',
  },
  'unifi-switch': {
    serve: ssh('#'),
    options: { portCount: 8 },
    outlet: '1',
    beside: '2',
    answers: {
      'swctrl poe show': [
        `Total Power Limit(mW): 45000

Port  OpMode      HpMode    PwrLimit   Class   PoEPwr  PwrGood  Power(W)  Voltage(V)  Current(mA)
                              (mW)
----  ------  ------------  --------  -------  ------  -------  --------  ----------  -----------
   1    Auto        Dot3at     32000  Class 4      On     Good      6.81       53.24       128.00
   2     Off        Dot3at     32000  Unknown     Off      Bad      0.00        0.00         0.00`,
        '   1    Auto',
      ],
    },
    off: 'swctrl poe set off id 1',
    on: 'swctrl poe set auto id 1',
  },
  openwrt: {
    serve: ssh('#'),
    outlet: 'lan1',
    beside: 'lan2',
    answers: {
      'ubus call poe info': [
        {
          firmware: 'v17.1',
          budget: 65,
          consumption: 4.5,
          ports: {
            lan1: { priority: 0, mode: 'PoE+', status: 'Delivering power', consumption: 4.5 },
            lan2: { priority: 0, mode: 'PoE+', status: 'Searching' },
          },
        },
        'ports/lan1/status',
      ],
    },
    off: '{"port":"lan1","enable":false}',
    on: '{"port":"lan1","enable":true}',
  },
  mpower: {
    serve: ssh('#'),
    options: { outlets: 3 },
    outlet: '1',
    beside: '2',
    answers: {
      'grep .': [
        `/proc/power/relay1:1
/proc/power/active_pwr1:40.25
/proc/power/relay2:0
/proc/power/active_pwr2:0.0`,
        '/proc/power/relay1:1$',
      ],
    },
    off: 'echo 0 > /proc/power/relay1',
    on: 'echo 1 > /proc/power/relay1',
  },
  edgeos: {
    serve: ssh('ubnt@router:~$'),
    outlet: 'eth1',
    beside: 'eth2',
    answers: {
      returnActiveValue: [
        'port eth1\n48v status 0\nport eth2\n24v status 0',
        'port eth1$',
        '48v status 0$',
      ],
    },
    off: `${edge} set interfaces ethernet eth1 poe output off`,
    on: `${edge} set interfaces ethernet eth1 poe output 48v`,
    staysOff: 'the wrong voltage could destroy the attached device',
  },
};
