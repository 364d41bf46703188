import { googleTokens } from './google-tokens.ts';
import type { StandIn } from './stand-in.ts';

export const standIns: readonly StandIn[] = [googleTokens];
