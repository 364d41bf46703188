/** APC rack PDU of the first generation: `config.ini` of its network management card. */
export { apcCard as backup } from '../families/apc-card.ts';
