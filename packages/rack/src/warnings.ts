/** Likely oversights: nothing that stops a service, but worth a look. */
import type { Draft } from './draft.ts';
import type { Problem } from './issues.ts';
import type { Rack } from './rack.ts';

export function warningsOf(_rack: Rack, _draft: Draft): Problem[] {
  return [];
}
