export { accounts } from '../families/vyatta/accounts.ts';
