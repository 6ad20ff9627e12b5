/**
 * fast-check, with lists and texts as long as `maxLength` says. By itself it makes no more than about ten elements unless
 * `size` is given too, so that a property about "up to 200 steps" would never see the eleventh.
 *
 * @module
 */
import fc from "fast-check";

fc.configureGlobal({ defaultSizeToMaxWhenMaxSpecified: true });

export default fc;
