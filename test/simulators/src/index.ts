export type { AndroidOptions } from './adb/android.ts';
export { type AdbInstallation, startAdbInstallation } from './adb/installation.ts';
export { SimulatedAdbServer, startAdbServer } from './adb/server.ts';
export { screenshot } from './adb/shell.ts';
export {
  type AlertReceiver,
  startAlertReceiver,
} from './alert-receivers/server.ts';
export type { CliDevice, ConfiguredDevice } from './equipment/cli/core.ts';
export { makeSshKey, publicSshKey } from './equipment/cli/host-key.ts';
export type { CliOptions } from './equipment/cli/model.ts';
export { startApcCard } from './equipment/cli/models/apc-card.ts';
export { type CiscoIosOptions, startCiscoIos } from './equipment/cli/models/cisco-ios/cisco-ios.ts';
export { startEos } from './equipment/cli/models/eos.ts';
export {
  type EdgeSwitchOptions,
  startEdgeSwitch,
} from './equipment/cli/models/fastpath/edge-switch.ts';
export {
  startUnifiSwitch,
  type UnifiSwitchOptions,
} from './equipment/cli/models/fastpath/unifi-switch.ts';
export { type JunosOptions, startJunos } from './equipment/cli/models/junos.ts';
export { type MpowerOptions, startMpower } from './equipment/cli/models/mpower.ts';
export { startNxos } from './equipment/cli/models/nxos.ts';
export {
  type OpenwrtDevice,
  type OpenwrtOptions,
  startOpenwrt,
} from './equipment/cli/models/openwrt/openwrt.ts';
export { type ProcurveOptions, startProcurve } from './equipment/cli/models/procurve.ts';
export { type RouterosOptions, startRouteros } from './equipment/cli/models/routeros/routeros.ts';
export { type EdgeosOptions, startEdgeos } from './equipment/cli/models/vyatta/edgeos.ts';
export type { VyattaDevice } from './equipment/cli/models/vyatta/vyatta.ts';
export { startVyos } from './equipment/cli/models/vyatta/vyos.ts';
export { sessionOf } from './equipment/cli/switch/replay.ts';
export { typeInto } from './equipment/cli/typist.ts';
export {
  type DeviceFault,
  deviceFaults,
  OutletBoard,
  type OutletChange,
  type SimulatedDevice,
} from './equipment/device.ts';
export { startAmtConsole } from './equipment/http/amt-console.ts';
export { startDescribedDevice } from './equipment/http/described-devices.ts';
export { startEsphome } from './equipment/http/esphome.ts';
export type { HttpDevice, Tls } from './equipment/http/http-device.ts';
export { startHttpRelay } from './equipment/http/http-relay.ts';
export { ownCertificate } from './equipment/http/own-certificate.ts';
export { startPikvm } from './equipment/http/pikvm.ts';
export {
  type RedfishOptions,
  type RedfishSessions,
  startRedfish,
} from './equipment/http/redfish.ts';
export { type RouterosRestOptions, startRouterosRest } from './equipment/http/routeros-rest.ts';
export { type ShellyGen1Options, startShellyGen1 } from './equipment/http/shelly-gen1.ts';
export { type ShellyGen2Options, startShellyGen2 } from './equipment/http/shelly-gen2.ts';
export { startSynaccess } from './equipment/http/synaccess.ts';
export { startTasmota, type TasmotaOptions } from './equipment/http/tasmota.ts';
export { startIpmiSim } from './equipment/ipmi/ipmi-sim.ts';
export {
  type Broker,
  type BrokerOptions,
  startBroker,
  startMosquitto,
} from './equipment/mqtt/broker.ts';
export { type MqttPlugOptions, startMqttPlug } from './equipment/mqtt/plug.ts';
export { startPlayback } from './equipment/playback.ts';
export type { SnmpModel, SnmpOptions } from './equipment/snmp/agent.ts';
export { apcRpduModel, startApcRpdu } from './equipment/snmp/apc-rpdu.ts';
export { apcRpdu2Model, startApcRpdu2 } from './equipment/snmp/apc-rpdu2.ts';
export type { SnmpValue } from './equipment/snmp/pdu.ts';
export { poeSwitchModel, startPoeSwitch } from './equipment/snmp/poe-switch.ts';
export { readSnmprec, startSnmpRecording } from './equipment/snmp/recording.ts';
export { startSnmpd } from './equipment/snmp/snmpd.ts';
export { startTablePdu, tablePduModel } from './equipment/snmp/table-pdu.ts';
export type { SnmpUser } from './equipment/snmp/usm.ts';
export type { Wiring } from './equipment/wiring.ts';
export { selfSignedCertificate } from './google-oauth/certificate.ts';
export { type GoogleOAuth, startGoogleOAuth } from './google-oauth/server.ts';
export { makeServiceAccountKey } from './google-oauth/service-account-key.ts';
export { startPubSubGate } from './google-pubsub/gate.ts';
export { startPstest } from './google-pubsub/pstest.ts';
export {
  type GooglePubSub,
  type GooglePubSubOptions,
  startGooglePubSub,
} from './google-pubsub/server.ts';
export { type GoogleStorageOptions, startGoogleStorage } from './google-storage/server.ts';
export type { Attack } from './hostile/device.ts';
export {
  type SimulatedMachine,
  type SimulatedMachineOptions,
  startSimulatedMachine,
} from './machines/machine.ts';
export { type Usb, uhubctl } from './machines/uhubctl.ts';
export { boardOf, hasPower, mega4, raspberryPi3, raspberryPi4 } from './machines/usb.ts';
export { lacks, type PeerName, peer } from './peer.ts';
export { type IphoneTools, startIphoneTools } from './phones/idevice-tools.ts';
export { type IphoneOptions, iphoneScreenshot } from './phones/iphone.ts';
export { startLocalPrograms } from './phones/local-programs.ts';
export { startPrograms } from './phones/programs.ts';
export { type SshDevice, startSshDevice } from './phones/ssh-device.ts';
export { Computer, removeBridge } from './real/computer.ts';
export {
  type ContainerRegistry,
  digestOf,
  startContainerRegistry,
} from './real/container-registry.ts';
export { type Containerd, startContainerd } from './real/containerd.ts';
export { type ControlPlane, type FakeNode, startControlPlane } from './real/control-plane.ts';
export { startDnsmasq } from './real/dnsmasq.ts';
export { type Frr, type FrrOptions, startFrr } from './real/frr.ts';
export { type ImageRegistry, startImageRegistry } from './real/image-registry.ts';
export { type Jumphost, type JumphostOptions, startJumphost } from './real/jumphost.ts';
export { type LinuxHost, type LinuxHostOptions, startLinuxHost } from './real/linux-host.ts';
export { PowerCutDisk } from './real/power-cut-disk.ts';
export { PowerCutNode } from './real/power-cut-node.ts';
export {
  bridgeAddress,
  nodePrograms,
  type RunningNode,
  whyNoRealNodes,
} from './real/real-nodes.ts';
export { type RealSshd, type SshEndpoint, startSshd } from './real/sshd.ts';
export { type NetworkFault, type Relay, startRelay } from './relay.ts';
export type { BotTimes } from './swarming/bot-zip.ts';
export { type SimulatedSwarming, type SwarmingOptions, startSwarming } from './swarming/server.ts';
export { zipOf } from './swarming/zip.ts';
