/** `@skolo/rack/edit`: changes in the text of rack.yaml. */
export { type AnsibleHost, readAnsible } from '../formats/ansible-import.ts';
export {
  type ForeignEquipment,
  type ForeignInventory,
  type OutletAlias,
  readOxidized,
  readPdudaemon,
  readRancid,
} from '../formats/equipment-import.ts';
export { addEquipment } from './add-equipment.ts';
export { addable } from './addable.ts';
export {
  addMachines,
  type MachineValues,
  removeMachines,
  setMachines,
  withLogin,
} from './change-machines.ts';
export { withCurrentWords } from './current-words.ts';
export { type DaemonRack, rackForDaemonOn } from './daemon-on-machine.ts';
export { editRack, type RackEdit } from './edit-rack.ts';
