/**
 * Imported first by the main file of a service: how much garbage V8 leaves in memory.
 *
 * By default the young generation grows while a service loads and stays so, and the old one grows to several times of what is
 * in use before it is collected. Like this an idle service takes 8 to 12 MiB less, and alert-to-pubsub stays below 160 MiB while
 * a backlog comes in and drains (280 MiB by default).
 *
 * V8 reads these flags before each collection, so that they can be set while the program runs.
 */
import { setFlagsFromString } from 'node:v8';

setFlagsFromString('--semi-space-growth-factor=1');
setFlagsFromString('--heap-growing-percent=20');
