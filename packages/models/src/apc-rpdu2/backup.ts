/** APC rack PDU of the second generation: `config.ini` of its network management card. */
export { apcCard as backup } from '../families/apc-card.ts';
