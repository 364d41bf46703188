/** Everything that is simulated, in the order in which it is shown. */
import { startEquipment } from './equipment.ts';
import { startPubSub } from './google-pubsub.ts';
import { startGoogleTokens } from './google-tokens.ts';
import type { StartStandIn } from './stand-in.ts';

export const standIns: readonly StartStandIn[] = [startGoogleTokens, startPubSub, startEquipment];
