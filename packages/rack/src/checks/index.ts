/** What no single entry can know: checks that look at the rack as a whole. */
import type { Draft } from '../draft.ts';
import type { Problem } from '../issues.ts';

export function runChecks(_draft: Draft, _problems: Problem[]): void {}
