/** rack.yaml for services that are started alone: its addresses are for tests of devices (RFC 2544), where no device is. */
export const rackOfOne = `rack: rack4
network: { subnet: 198.18.64.0/24 }
jumphost: { name: jumphost-rack4, address: 198.18.64.8 }
machines:
  rpi-1: { kind: rpi, address: 198.18.64.101 }
services:
  swarming-client: { server: "http://127.0.0.1:9" }
`;
