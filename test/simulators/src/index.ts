export {
  type AdbState,
  type AndroidOptions,
  type AndroidProgram,
  type Battery,
  type Sensor,
  SimulatedAndroid,
} from './adb/android.ts';
export {
  type AdbServerFault,
  type AndroidFault,
  adbServerFaults,
  androidFaults,
} from './adb/faults.ts';
export { type AdbInstallation, startAdbInstallation } from './adb/installation.ts';
export { type AndroidModelName, androidModels } from './adb/models.ts';
export { type AdbServerOptions, SimulatedAdbServer, startAdbServer } from './adb/server.ts';
export { screenshot } from './adb/shell.ts';
export { type ApcCardOptions, startApcCard } from './equipment/cli/apc-card.ts';
export { configurationFaults } from './equipment/cli/configuration-faults.ts';
export { type CliDevice, type ConfiguredDevice, cliFaults } from './equipment/cli/core.ts';
export { type EdgeosOptions, startEdgeos } from './equipment/cli/edgeos.ts';
export type { EdgeosPort } from './equipment/cli/edgeos-configuration.ts';
export { makeSshKey, publicSshKey } from './equipment/cli/host-key.ts';
export { type JunosOptions, startJunos } from './equipment/cli/junos.ts';
export type { CliOptions, SignInMethod } from './equipment/cli/model.ts';
export { type CiscoIosOptions, startCiscoIos } from './equipment/cli/models/cisco-ios.ts';
export { type EdgeSwitchOptions, startEdgeSwitch } from './equipment/cli/models/edge-switch.ts';
export { type EosOptions, startEos } from './equipment/cli/models/eos.ts';
export { type NxosOptions, startNxos } from './equipment/cli/models/nxos.ts';
export { type ProcurveOptions, startProcurve } from './equipment/cli/models/procurve.ts';
export { startUnifiSwitch, type UnifiSwitchOptions } from './equipment/cli/models/unifi-switch.ts';
export { type MpowerOptions, startMpower } from './equipment/cli/mpower.ts';
export { type OpenwrtDevice, type OpenwrtOptions, startOpenwrt } from './equipment/cli/openwrt.ts';
export { type RouterosOptions, startRouteros } from './equipment/cli/routeros.ts';
export { type Typed, typeInto } from './equipment/cli/typist.ts';
export type { VyattaDevice } from './equipment/cli/vyatta.ts';
export { startVyos, type VyosOptions } from './equipment/cli/vyos.ts';
export {
  type DeviceFault,
  deviceFaults,
  Faults,
  OutletBoard,
  type OutletChange,
  type SimulatedDevice,
  type SimulatedOutlet,
  type Told,
} from './equipment/device.ts';
export {
  type EsphomeOptions,
  startEsphome,
} from './equipment/http/esphome.ts';
export type { HttpDevice, HttpDeviceOptions, Tls } from './equipment/http/http-device.ts';
export type { Account } from './equipment/http/http-message.ts';
export {
  type HttpRelayOptions,
  startHttpRelay,
} from './equipment/http/http-relay.ts';
export {
  type RedfishOptions,
  startRedfish,
} from './equipment/http/redfish.ts';
export {
  type RouterosRestOptions,
  startRouterosRest,
} from './equipment/http/routeros-rest.ts';
export {
  type ShellyGen1Options,
  startShellyGen1,
} from './equipment/http/shelly-gen1.ts';
export {
  type ShellyGen2Options,
  startShellyGen2,
} from './equipment/http/shelly-gen2.ts';
export {
  type SynaccessOptions,
  startSynaccess,
} from './equipment/http/synaccess.ts';
export {
  startTasmota,
  type TasmotaOptions,
} from './equipment/http/tasmota.ts';
export { type IpmiSimOptions, startIpmiSim } from './equipment/ipmi/ipmi-sim.ts';
export {
  type Broker,
  type BrokerOptions,
  startBroker,
  startMosquitto,
} from './equipment/mqtt/broker.ts';
export { type MqttPlugOptions, startMqttPlug } from './equipment/mqtt/plug.ts';
export { type SnmpModel, type SnmpOptions, snmpFaults } from './equipment/snmp/agent.ts';
export { type ApcRpduOptions, apcRpduModel, startApcRpdu } from './equipment/snmp/apc-rpdu.ts';
export { type ApcRpdu2Options, apcRpdu2Model, startApcRpdu2 } from './equipment/snmp/apc-rpdu2.ts';
export {
  type PoeSwitchOptions,
  poeSwitchModel,
  startPoeSwitch,
} from './equipment/snmp/poe-switch.ts';
export { startSnmpd } from './equipment/snmp/snmpd.ts';
export type { SnmpUser } from './equipment/snmp/usm.ts';
export type { RefreshGrant, SubjectGrant } from './google-oauth/accounts.ts';
export type { Call, Endpoint } from './google-oauth/calls.ts';
export { selfSignedCertificate } from './google-oauth/certificate.ts';
export {
  type Fault,
  type FaultKind,
  type FaultOptions,
  faultKinds,
} from './google-oauth/faults.ts';
export type { IssuedToken } from './google-oauth/ledger.ts';
export {
  type GoogleOAuth,
  type GoogleOAuthOptions,
  startGoogleOAuth,
} from './google-oauth/server.ts';
export {
  makeServiceAccountKey,
  type ServiceAccountKey,
} from './google-oauth/service-account-key.ts';
export {
  type Method as PubSubMethod,
  methods as pubSubMethods,
  type PubSubCall,
} from './google-pubsub/calls.ts';
export { type PubSubEmulator, startPubSubEmulator } from './google-pubsub/emulator.ts';
export {
  type Fault as PubSubFault,
  type FaultKind as PubSubFaultKind,
  type FaultOptions as PubSubFaultOptions,
  faultKinds as pubSubFaultKinds,
} from './google-pubsub/faults.ts';
export { type PubSubGate, startPubSubGate } from './google-pubsub/gate.ts';
export type { Limits as PubSubLimits } from './google-pubsub/limits.ts';
export {
  type GooglePubSubProcess,
  startGooglePubSubProcess,
} from './google-pubsub/process.ts';
export type { Code as PubSubCode } from './google-pubsub/refusal.ts';
export {
  type GooglePubSub,
  type GooglePubSubOptions,
  type MessageToPublish,
  startGooglePubSub,
} from './google-pubsub/server.ts';
export type { PublishedMessage } from './google-pubsub/topic.ts';
export type { BucketObject } from './google-storage/bucket.ts';
export type { Operation, StorageCall } from './google-storage/calls.ts';
export {
  type Fault as StorageFault,
  type FaultKind as StorageFaultKind,
  type FaultOptions as StorageFaultOptions,
  faultKinds as storageFaultKinds,
} from './google-storage/faults.ts';
export type { Permission } from './google-storage/refusal.ts';
export {
  type GoogleStorage,
  type GoogleStorageOptions,
  startGoogleStorage,
} from './google-storage/server.ts';
export type { Task } from './machines/agent.ts';
export { type MachineFault, machineFaults } from './machines/faults.ts';
export {
  type SimulatedMachine,
  type SimulatedMachineOptions,
  startSimulatedMachine,
} from './machines/machine.ts';
export { type Usb, uhubctl } from './machines/uhubctl.ts';
export { boardOf, type Phone, raspberryPi4, type UsbHub } from './machines/usb.ts';
export { type PeerName, peer } from './peer.ts';
export { type IphoneTools, iphoneScreenshot, startIphoneTools } from './phones/idevice-tools.ts';
export {
  type IphoneFault,
  type IphoneOptions,
  iphoneFaults,
  type SimulatedIphone,
} from './phones/iphone.ts';
export {
  type LocalFault,
  type LocalPrograms,
  localFaults,
  startLocalPrograms,
} from './phones/local-programs.ts';
export {
  type ProgramAnswer,
  type Programs,
  type StandIn,
  startPrograms,
} from './phones/programs.ts';
export {
  type SshDevice,
  type SshDeviceFault,
  type SshDeviceOptions,
  sshDeviceFaults,
  startSshDevice,
} from './phones/ssh-device.ts';
export { type ContainerRegistry, startContainerRegistry } from './real/container-registry.ts';
export { type ControlPlane, startControlPlane } from './real/control-plane.ts';
export { type Frr, type FrrFault, type FrrOptions, frrFaults, startFrr } from './real/frr.ts';
export { type LinuxHost, type LinuxHostOptions, startLinuxHost } from './real/linux-host.ts';
export { type RealSshd, type SshDoor, startSshd } from './real/sshd.ts';
export {
  type BotTimes,
  type BotZip,
  type BotZipOptions,
  botTimes,
  buildBotZip,
} from './swarming/bot-zip.ts';
export type { Crash, SwarmingBot } from './swarming/bots.ts';
export type { Endpoint as SwarmingEndpoint, SwarmingCall } from './swarming/calls.ts';
export {
  type SwarmingFault,
  type SwarmingFaultOptions,
  type SwarmingFaults,
  swarmingFaults,
} from './swarming/faults.ts';
export { type SimulatedSwarming, type SwarmingOptions, startSwarming } from './swarming/server.ts';
export type {
  NewTask as NewSwarmingTask,
  SwarmingTask,
  TaskState as SwarmingTaskState,
} from './swarming/tasks.ts';
