/**
 * rack.yaml for services that are started alone: its addresses are for tests of devices (RFC 2544), where no device is. A service that waits
 * for something when it is to end takes longer than a test lets it.
 */
export const rackOfOne = `rack: rack4
network: { subnet: 198.18.64.0/24 }
jumphost: { name: jumphost-rack4, address: 198.18.64.8 }
machines:
  rpi-1: { kind: rpi, address: 198.18.64.101 }
services:
  metadata-server: { stopWithin: 600 }
  power-cycle-daemon: { stopWithin: 600 }
  router-backup: { stopWithin: 600 }
  alert-to-pubsub: { stopWithin: 600 }
  machine-state: { stopWithin: 600 }
  swarming-client: { server: "http://127.0.0.1:9", stopWithin: 600 }
`;
