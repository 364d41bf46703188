/** Options for setting up a machine, on a card or while it runs. */
import type { Rack } from '@skolo/rack';

export interface IdentityNeeds {
  names: readonly string[];
  rack: Rack | undefined;
  options: SetupOptions;
}

export interface SetupOptions {
  user?: string;
  key?: string[];
  address?: string;
  dhcp?: true;
  gateway?: string;
  dns?: string[];
  timezone?: string;
  keyboard: string;
  locale: string;
  ntp?: string[];
  wifi?: string;
  wifiPasswordFile?: string;
  wifiCountry?: string;
  join?: true;
  joinTokenFile?: string;
  /** For `burn`, the number of cards. */
  shared?: true | number;
  secretDays?: number;
  server?: string;
  k3s?: string;
  files?: string;
}
