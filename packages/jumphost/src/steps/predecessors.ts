/** Nothing of the former system is in the way: two power controllers never run at once. */
import { findPredecessors } from '../predecessors.ts';
import type { Step } from '../step.ts';

export const predecessorsStep: Step = {
  name: 'predecessors',
  about: 'no former service is in the way of ours',
  async check(host) {
    const found = await findPredecessors(host);
    return {
      differs: found.map(({ service, unit, why }) => {
        const how =
          unit === undefined
            ? 'end it'
            : `\`systemctl disable --now ${unit}\` there hands over, and \`systemctl enable --now ${unit}\` goes back`;
        return `${service}: ${why}; ${how}`;
      }),
    };
  },
};
