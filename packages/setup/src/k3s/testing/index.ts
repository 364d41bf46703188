/** A bare Debian with sshd on a network of its own, a workstation for it, and a k3s that is a fake in front of a real API server. */
export {
  adaptToContainer,
  type BareJumphost,
  bareComputer,
  startBareJumphost,
  whyNoJumphost,
} from './bare-jumphost.ts';
export {
  accounts,
  address,
  type OpenHost,
  openTestHost,
  ours,
  register,
  subnet,
  type TestWorkstation,
} from './test-host.ts';
export { bridge, network } from './test-network.ts';
export {
  addK3s,
  addToWorkstation,
  makeTestWorkstation,
  publicKeyOf,
  testAuthority,
} from './test-workstation.ts';
