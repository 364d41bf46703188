/** `@skolo/rack/light`: the parts that require neither a reader of rack.yaml nor its schema. */
export { formatIssue, RackError } from './issues/issues.ts';
export { didYouMean, withHint } from './issues/suggest.ts';
export { whyNotActing } from './rack/acts.ts';
export { rackNameIn } from './rack/rack-name.ts';
export { hostOfUrl, serviceMetricsUrl, serviceUrl } from './rack/service-urls.ts';
export { defaultTokenFolder } from './rack/token-folder.ts';
export {
  portIn,
  switchedWith,
  type UsbPortReading,
  uhubctlArgs,
  whyUhubctlFailed,
} from './rack/uhubctl.ts';
export { byNumber, foldNames, foldValues } from './ranges/fold.ts';
export { expandNames, expandRange, RangeSyntaxError } from './ranges/ranges.ts';
export * from './schema/service-ports.ts';
