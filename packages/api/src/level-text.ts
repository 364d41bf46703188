import type { ControllerStatus } from './power-cycle-daemon.ts';

/** How thoroughly a model has been verified, as people read it. */
export function levelText(level: ControllerStatus['level']): string {
  return level === 'never seen' ? 'not verified on hardware' : level;
}
