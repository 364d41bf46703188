/** `@skolo/secret-store/rotate`: replaces secrets at both ends. */
export {
  type RotateDeps,
  type RotateOutcome,
  rotateSshKey,
  rotationRefusal,
} from './ssh-key.ts';
