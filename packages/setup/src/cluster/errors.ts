import { NamedError } from '@skolo/base';

/** A failure in a cluster of Pis. The message says what to do. */
export class ClusterError extends NamedError {}
