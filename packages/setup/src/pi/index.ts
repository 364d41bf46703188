/** Raspberry Pis from a new SD card: machine images, base images, writing cards. */
export {
  type DamagedImage,
  deleteImage,
  fetchImage,
  type StoredImage,
  storedImages,
  verifyImage,
} from './base-images/store.ts';
export { commonFiles } from './boot/enrol.ts';
export { burnCards, type CardResult, type Reader } from './burn/burn-cards.ts';
export type { DiskFacts } from './burn/disk-facts.ts';
export { findTarget, reject } from './burn/target.ts';
export { diskOf } from './disk/disk.ts';
export { PiError } from './errors.ts';
export { type BaseImage, openBaseImage } from './image/base-image.ts';
export { bootFiles, customise, type MachineNeeds } from './image/machine-image.ts';
export { writeChanged } from './image/write-image.ts';
export { swapStep } from './running/settings.ts';
export { setupSteps } from './running/steps.ts';
export { type PiIdentity, type PiSetup, parseSetup } from './setup.ts';
