export type Endpoint =
  | 'token'
  | 'sts'
  | 'generateAccessToken'
  | 'generateIdToken'
  | 'certs'
  | 'unknown';

/** One request that reached the simulator, good or bad. What it claims (`account`) is not yet proven. */
export interface Call {
  /** By the simulator's clock. */
  at: Date;
  endpoint: Endpoint;
  method: string;
  path: string;
  /** `grant_type` of the two token endpoints. */
  grant?: string;
  /** E-mail or `principal://…` that wants the token. */
  account?: string;
  scopes: string[];
  audience?: string;
  /** Absent as long as there is no answer. */
  status?: number;
  /** Error code that was answered, such as `invalid_grant`. */
  rejection?: string;
}
